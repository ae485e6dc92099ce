"""What MicroPython leaves to the network. Loaded once, when there is an address; then dropped.

When MicroPython's heap is full it takes the largest block that the system has, all of it, up to its own size again.
lwIP and the Wi-Fi driver find nothing then for what they send, and the board falls silent. So the heap is made to grow
now, while a few datagrams to ourselves, unread, hold what is to remain; later it has little reason to.
"""

import gc
import socket

import esp32

_DATAGRAM = 2_800  # bytes; made of our heap too, so they are short
_DATAGRAMS = 5  # a socket's queue has room for six
_PORT = 49_151
_SMALL = 5_000  # bytes; a block that is left to the system
_PIECES = 8  # lists made at most, to make the heap grow
_ANCHOR = 16  # words; an area whose first 16 bytes alone are in use is taken for empty
_MARGIN = 3_000  # bytes of a block that are the heap's own bookkeeping, or more than that


def settle():
    """Returns what holds the areas that the heap has got: a list to keep. OSError if no socket is to be had."""
    anchors = []
    left, largest = _free()
    if left - min(largest, gc.mem_alloc() + gc.mem_free()) > _DATAGRAM * _DATAGRAMS:  # even then
        return anchors
    reserve = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        reserve.bind(("127.0.0.1", _PORT))
        reserve.setblocking(False)
        data = bytes(_DATAGRAM)
        for _ in range(_DATAGRAMS):
            reserve.sendto(data, ("127.0.0.1", _PORT))
        data = None
        _grow(anchors)
    except (OSError, MemoryError):  # less, then
        pass
    reserve.close()
    return anchors


def _free():
    """(bytes that the system has, those of its largest block)"""
    regions = esp32.idf_heap_info(esp32.HEAP_DATA)
    return sum([row[1] for row in regions]), max([row[2] for row in regions])


def _grow(anchors):
    held = []  # what fits into the heap as it is
    largest = _free()[1]
    while largest > _SMALL and len(anchors) + len(held) < _PIECES:
        piece = [None] * ((largest - _MARGIN) // 4)
        before, largest = largest, _free()[1]
        if largest < before:  # an area of its own; what is empty would be given back
            while len(piece) > _ANCHOR:
                piece.pop()  # in its place
            anchors.append(piece)
        else:
            held.append(piece)
