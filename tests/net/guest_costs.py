"""What the stack costs in the VM: bytes of heap for its code and its connections, instructions for data in and out."""

import gc

import host

OURS, THEIRS = b"\x0a\x09\x00\x01", b"\x0a\x01\x00\x01"
SIZE = 1_000


def used():
    gc.collect()
    return gc.mem_alloc()


def fuel():
    return int(host.call("fuel", ""))


def random(n, state=[7]):  # noqa: B006
    state[0] += 1
    return bytes((state[0] * 37 + i) & 255 for i in range(n))


def stack(own):
    return Stack(lambda address: (own, 1_422), random)


def carry():
    """Packets both ways until there are none."""
    moved = True
    while moved:
        moved = False
        for one, other in ((ours, theirs), (theirs, ours)):
            packet = one.next_packet(0)
            if packet:
                other.receive(memoryview(packet), 0)
                moved = True


at = used()
from uike.net.stack import Stack  # noqa: E402

ours, theirs = stack(OURS), stack(THEIRS)
ours.udp()
theirs.udp()
print("udp", used() - at)
at = used()
ours.tcp()
theirs.tcp()
print("tcp", used() - at)
listener = theirs.tcp().listen(80)
here = ours.tcp().connect(THEIRS, 80)
carry()
there = listener.accept()
at = used()
more = ours.tcp().connect(THEIRS, 80)
carry()
print("connection", (used() - at) // 2)  # both its ends are here
data = bytes(SIZE)


def send(write, read):
    for _ in range(8):
        write.write(data)
        carry()
        read.read(SIZE)
    carry()


for name, write, read in (("out", here, there), ("in", there, here)):
    send(write, read)
    before, start = used(), fuel()
    send(write, read)
    spent = fuel() - start
    print(name, spent // (8 * SIZE), used() - before)
socket, peer = ours.udp().open(53), theirs.udp().open(54)
start = fuel()
for _ in range(8):
    socket.write(data, THEIRS, 54)
    carry()
    peer.read()
print("datagrams", (fuel() - start) // (8 * SIZE), 0)
