"""Runs in the VM: mutated datagrams at two engines with a tunnel up; prints what came of it."""

from pair import Pair, in_use
from rounds import ROUNDS, TREES

from uike.app.icmp import request

HERE, THERE = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


class Random:
    """A small generator (Park and Miller), enough to choose mutations."""

    def __init__(self):
        self.state = 1

    def below(self, n):
        self.state = self.state * 48271 % 2147483647
        return self.state % n


def mutate(data, random):
    data = bytearray(data)
    for _ in range(1 + random.below(4)):
        kind = random.below(4)
        if kind == 0 and data:
            data[random.below(len(data))] = random.below(256)
        elif kind == 1:
            data = data[: random.below(len(data) + 1)]
        elif kind == 2:
            data += bytes([random.below(256)]) * random.below(40)
        elif len(data) > 40:
            data[random.below(40)] ^= 1 << random.below(8)
    return data


def throw(pair, random, rounds):
    for number in range(rounds):
        index, data, port = pair.recorded[number % len(pair.recorded)]
        pair.deliver(index, mutate(data, random), port)
        pair.drain()


pair = Pair(TREES)
up = pair.connect()
pair.sides[0].send_packet(request(HERE, THERE, 1, 1, 8), pair.now)
pair.carry()
pair.drain()
random = Random()
throw(pair, random, ROUNDS // 4)
pair.linger()
before = in_use()
throw(pair, random, ROUNDS)
pair.linger()
pair.drain()
after = in_use()
pair.sides[0].send_packet(request(HERE, THERE, 1, 2, 8), pair.now)
pair.carry()
print(up, after - before, pair.drain(), sum(pair.sides[0].drops.values()) + sum(pair.sides[1].drops.values()))
