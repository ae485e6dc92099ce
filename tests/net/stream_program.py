"""Streams over two stacks and a wire in one process, for test_stream.py: on CPython and on MicroPython's unix port."""

import asyncio
import sys

from uike.net import stream
from uike.net.stack import Stack

OURS, THEIRS = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))
DATA = bytes(range(250)) * 40


class Tunnel:
    """As uike.app.tunnel.Tunnel, but its packets go to the other one of a pair."""

    def __init__(self, own, other, seed):
        state = [seed]

        def random(n):
            state[0] = (state[0] * 1_103_515_245 + 12_345) & 0x3FFFFFFF
            return bytes(state[0] >> (i % 3 * 8) & 255 for i in range(n))

        self.stack = Stack(lambda address: (own, 600) if address == other else None, random)
        self.peer = None
        self.now = 0
        self.running = True

    def poll(self, most_ms):
        self.now += 10
        self.stack.tick(self.now)
        packet = self.stack.next_packet(self.now)
        while packet:
            self.peer.stack.receive(memoryview(packet), self.now)
            packet = self.stack.next_packet(self.now)
        return self.running


async def echo(one):
    line = await one.readline()
    one.write(b"you said " + line)
    while True:
        data = await one.read(300)
        if not data:
            break
        one.write(data)
        await one.drain()
    await one.finish()


async def main():
    ours, theirs = Tunnel(OURS, THEIRS, 1), Tunnel(THEIRS, OURS, 2)
    ours.peer, theirs.peer = theirs, ours
    tasks = [asyncio.create_task(stream.serve(each)) for each in (ours, theirs)]
    listener = await stream.start_server(theirs, echo, 7)
    one = await stream.open_connection(ours, "10.1.0.1", 7)
    one.write(b"hello\n")
    print(await one.readline())

    async def write():
        one.write(DATA)
        await one.finish()

    writer = asyncio.create_task(write())
    print(await one.readexactly(len(DATA)) == DATA, await one.read(1))
    await writer
    one.close()
    try:
        await stream.open_connection(ours, "10.1.0.1", 8)
    except OSError as error:
        print("refused", error.args[0])
    try:
        await stream.open_connection(ours, "10.1.0.2", 8)
    except OSError as error:
        print("no way", error.args[0])
    here, there = stream.Datagrams(ours), stream.Datagrams(theirs, 53)
    print(here.sendto(b"a datagram", ("10.1.0.1", 53)))
    print(await there.recvfrom())
    listener.close()
    ours.running = theirs.running = False
    for task in tasks:
        await task


sys.path.append("firmware")
asyncio.run(main())
