"""Words between the chip's registers and a buffer, in native code. Used by bus.py.

`data` starts a block of the heap, which is aligned; a slice of a memoryview might not be.
"""

import micropython


@micropython.viper
def load(address: int, data: ptr32, words: int):
    """Copy words from an address into a buffer."""
    source = ptr32(address)
    for i in range(words):
        data[i] = source[i]


@micropython.viper
def store(address: int, data: ptr32, words: int):
    """Copy words from a buffer to an address."""
    target = ptr32(address)
    for i in range(words):
        target[i] = data[i]
