"""What the heap takes and what the network keeps, on a system that has little: its blocks, and lwIP's queue."""

import pytest

SMALL = [33_000, 1_700]  # as on an ESP32 with Wi-Fi


class Socket:
    """Datagrams to oneself stay in the system's memory until they are read, or the socket is closed."""

    def __init__(self, chip):
        self.chip, self.queue, self.bound = chip, [], None

    def __call__(self, *_):
        return self

    def bind(self, where):
        self.bound = where

    def setblocking(self, flag):
        assert flag is False

    def sendto(self, data, where):
        assert where == self.bound and len(self.queue) < 6
        if max(self.chip.blocks) < 2 * len(data):  # as it was given, and as it is queued
            raise OSError(12)
        self.queue.append(len(data))
        self.chip.blocks[0] -= len(data)

    def close(self):
        self.chip.blocks[0] += sum(self.queue)
        self.queue, self.bound = [], None


class Heap:
    """Full as it is: each list that is not short takes an area, the largest block."""

    def __init__(self, chip, module, monkeypatch, fits=0):
        self.chip, self.fits, self.taken = chip, fits, []
        info = module.esp32.idf_heap_info
        self.asked = 0

        def idf_heap_info(kind):
            self.asked += 1
            if self.asked > 2 + self.fits and max(chip.blocks) > 5_000:  # a list was made since
                self.taken.append(chip.blocks[0])
                chip.blocks[0] = 0
            return info(kind)

        monkeypatch.setattr(module.esp32, "idf_heap_info", idf_heap_info)


@pytest.fixture
def share(chip, monkeypatch):
    module = chip.load("share")
    chip.socket = Socket(chip)
    monkeypatch.setattr(module.socket, "socket", chip.socket)
    return module


@pytest.mark.parametrize("fits", [0, 2])
def test_the_heap_grows_and_the_network_keeps_its_part(share, chip, monkeypatch, fits):
    chip.blocks = list(SMALL)
    heap = Heap(chip, share, monkeypatch, fits)
    (anchor,) = share.settle()
    assert heap.taken == [33_000 - 5 * 2_800] and sum(chip.blocks) == 5 * 2_800 + 1_700
    assert 8 <= len(anchor) <= 16  # more than the first 16 bytes of its area, and little
    assert chip.socket.bound is None


def test_where_there_is_plenty_nothing_is_done(share, chip, monkeypatch):
    heap = Heap(chip, share, monkeypatch)
    chip.blocks = [128_000]  # the heap has 112,000, and takes no more than that
    assert share.settle() == [] and not heap.taken and heap.asked == 1


def test_what_cannot_be_held_is_not(share, chip, monkeypatch):
    chip.blocks = [4_000]
    heap = Heap(chip, share, monkeypatch)
    assert share.settle() == [] and not heap.taken and chip.blocks == [4_000] and chip.socket.bound is None


def test_a_heap_that_does_not_grow_is_not_asked_for_ever(share, chip):
    chip.blocks = list(SMALL)
    assert share.settle() == [] and chip.blocks == SMALL


def test_a_heap_that_cannot_grow(share, chip, monkeypatch):
    chip.blocks = list(SMALL)

    def grow(anchors):
        raise MemoryError

    monkeypatch.setattr(share, "_grow", grow)
    assert share.settle() == [] and chip.blocks == SMALL
