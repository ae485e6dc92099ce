"""Platforms: the same file names and operations in each folder, so that nothing above knows where it runs.

Of the board's operations, two carry the security of the rest:

    entropy(n) -> n bytes               from the platform's generator, straight: `uike.crypto.health` tests them and
                                        the DRBG conditions them. Where the generator feeds on a part that may be off
                                        (ESP32: `os.urandom` is random only while the radio is on), OSError or nothing
                                        until that is on: the appliance stops rather than start on less
    store.read(name) -> bytes or None   None when there is none; OSError when it cannot be read
    store.write(name, data)             whole or not at all when the power goes (write beside it, then rename; LittleFS
                                        does so at close); OSError when it cannot be written

The module `change` of a platform is loaded when it is wanted (`uike.hal.<board.name>.change`):

    replace(board, found)               stores [(name, pieces)]: all of them, or none when the power goes; OSError when
                                        they cannot be stored, or are not read as they were written
    erase(board)                        overwrites and removes all but board.json; after a power cut, at the next
                                        power-on
    restart(board)                      as at power-on; on a chip it does not return

Others are there on a chip only:

    life                                None elsewhere; on the ESP32 what watches over it (uike/hal/esp32/life.py):
                                        tell(trace), safe, restart(reason, detail), retry(), crash(), feed(), slots()
    mend()                              sockets and network anew
    wait(timeout_ms, tunnels)           `tunnels` is true while one is up: a chip shows it, and its boot is a good one

No other module asks the platform for randomness: keys, nonces, IVs and SPIs come from the DRBG (`uike.crypto.drbg`).
"""

import sys


def board():
    """The board of the platform we run on. On CPython the host makes it: `uike.hal.cpython.board.Board(host)`."""
    if sys.implementation.name != "micropython":
        raise RuntimeError("on CPython a board is made with its host, and passed in")
    if sys.platform == "esp32":
        from uike.hal.esp32.board import Board
    else:
        from uike.hal.vm.board import Board
    return Board()
