"""ChaCha20-Poly1305 (RFC 8439) as RFC 7634 uses it: nonce = salt | IV. A `Cipher`.

The four rows of the ChaCha state are four big integers. A row holds its four words of up to `_BATCH` blocks, a word in
each 64-bit lane, first the first words of all blocks, then the second ones, and so on: one addition then adds four
words of all blocks at once, a shift rotates them, and turning a row by one column is a rotation of the whole integer.
Nothing depends on secret data.
"""

from uike.crypto import authenticated, equal, wipe

_BATCH = 8  # blocks at once: more is faster and needs more RAM
_SIGMA = b"expand 32-byte k"
_P = (1 << 130) - 5
_LOW130 = (1 << 130) - 1
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def _lanes(count):
    """1 in each of `count` lanes."""
    return ((1 << 64 * count) - 1) // 0xFFFFFFFFFFFFFFFF


def _row(data, blocks):
    """Four little-endian words, each in the lanes of all blocks."""
    row, one = 0, _lanes(blocks)
    for at in (12, 8, 4, 0):
        row = row << 64 * blocks | int.from_bytes(data[at : at + 4], "little") * one
    return row


def _rotate(x, bits, mask):
    """Every word rotated left."""
    x <<= bits
    return (x | x >> 32) & mask


def _turn(row, columns, lane):
    """The row with its words moved by a number of columns; `lane` is the width of a column in bits."""
    low = columns * lane
    return row >> low | (row & ((1 << low) - 1)) << (4 * lane - low)


def _double_round(a, b, c, d, mask, lane):
    for columns in (1, 3):  # the rows move by 1, 2, 3 columns for the diagonals, and back by 3, 2, 1
        a = (a + b) & mask
        d = _rotate(d ^ a, 16, mask)
        c = (c + d) & mask
        b = _rotate(b ^ c, 12, mask)
        a = (a + b) & mask
        d = _rotate(d ^ a, 8, mask)
        c = (c + d) & mask
        b = _rotate(b ^ c, 7, mask)
        b, c, d = _turn(b, columns, lane), _turn(c, 2, lane), _turn(d, 4 - columns, lane)
    return a, b, c, d


def keystream(key, nonce, counter, blocks):
    """`blocks` blocks of 64 bytes (RFC 8439 section 2.3): 32-byte key, 12-byte nonce, the first block's counter."""
    lane = 64 * blocks
    mask = 0xFFFFFFFF * _lanes(4 * blocks)
    counters = 0
    for n in range(blocks):
        counters |= (counter + n & 0xFFFFFFFF) << 64 * n
    start = (_row(_SIGMA, blocks), _row(key, blocks), _row(key[16:], blocks))
    start += (_row(bytes(4) + nonce, blocks) | counters,)
    rows = start
    for _ in range(10):
        rows = _double_round(rows[0], rows[1], rows[2], rows[3], mask, lane)
    out = bytearray(64 * blocks)
    for r in range(4):
        words = ((rows[r] + start[r]) & mask).to_bytes(32 * blocks, "little")
        for c in range(4):
            for n in range(blocks):
                at, lane_at = 64 * n + 16 * r + 4 * c, 8 * (c * blocks + n)
                out[at : at + 4] = words[lane_at : lane_at + 4]
    return out


def poly1305(key, parts):
    """The tag of 16 bytes (section 2.5); each of `parts` is padded with zeros to a multiple of 16 (section 2.8)."""
    r = int.from_bytes(key[:16], "little") & _CLAMP
    x = 0
    for part in parts:
        for at in range(0, len(part), 16):
            block = bytes(part[at : at + 16])
            x = (x + int.from_bytes(block, "little") + (1 << 128)) * r
            x = (x & _LOW130) + 5 * (x >> 130)
    return ((x % _P + int.from_bytes(key[16:32], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


class ChaCha20Poly1305:
    """See the contract in uike/crypto/__init__.py. key is 32 bytes and the salt of 4."""

    iv_size = 8
    icv_size = 16
    block_size = 1
    high = None

    def __init__(self, key):
        if len(key) != 36:
            raise ValueError("key length")
        self._key = bytearray(key)

    def seal(self, buf, aad, end):
        start = aad + 8
        if end < start or len(buf) < end + 16:
            raise ValueError("length")
        one_time = self._crypt(buf, aad, end, True)
        view = memoryview(buf)
        view[end : end + 16] = self._tag(one_time, view, aad, end)
        wipe(one_time)

    def open(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            return False
        view = memoryview(buf)
        one_time = keystream(self._key, self._nonce(buf, aad), 0, 1)
        good = equal(view[end : end + 16], self._tag(one_time, view, aad, end))
        wipe(one_time)
        if good:
            self._crypt(buf, aad, end, False)
        return good

    def wipe(self):
        wipe(self._key)

    def _nonce(self, buf, aad):
        return bytes(self._key[32:36]) + bytes(buf[aad : aad + 8])

    def _crypt(self, buf, aad, end, first):
        """Encrypts or decrypts in place. `first`: returns block 0 as well, the key of the tag."""
        nonce = self._nonce(buf, aad)
        view = memoryview(buf)
        at, counter, one_time = aad + 8, 0 if first else 1, None
        while at < end or counter == 0:
            blocks = min(_BATCH, (end - at + 63) // 64 + (counter == 0))
            stream = keystream(self._key, nonce, counter, blocks)
            skip = 0
            if counter == 0:
                one_time, skip = stream[:32], 64
            size = min(64 * blocks - skip, end - at)
            mixed = int.from_bytes(view[at : at + size], "little") ^ int.from_bytes(
                stream[skip : skip + size], "little"
            )
            view[at : at + size] = mixed.to_bytes(size, "little")
            wipe(stream)
            at += size
            counter += blocks
        return one_time

    def _tag(self, one_time, view, aad, end):
        head = authenticated(view[:aad], self.high)
        sizes = len(head).to_bytes(8, "little") + (end - aad - 8).to_bytes(8, "little")
        return poly1305(one_time, (head, view[aad + 8 : end], sizes))
