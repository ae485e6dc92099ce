"""Runs in the VM: bring a tunnel up and down, again and again; prints the bytes in use after each round."""

from pair import Pair, in_use
from rounds import ROUNDS, TREES

pair = Pair(TREES)
for _ in range(ROUNDS):
    up = pair.connect()
    down = pair.close() and pair.linger()
    pair.drain()
    del pair.recorded[:]
    print(up, down, in_use())
