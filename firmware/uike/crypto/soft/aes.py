"""AES-128 and AES-256 on many blocks at once (FIPS 197), bit-sliced over big integers. Used by cbc.py and gcm.py.

Eight integers ("planes") hold the state: plane i is bit i of every byte, and byte (row r, column c) of block n is bit
16*n + 4*r + c of each plane. One pass of Boolean operations then works on every block, and nothing depends on secret
data: no table is looked up and no branch is taken. One block uses small integers only, so it allocates next to nothing.
"""

from array import array

from uike.crypto import wipe


def _substitute(planes):
    """SubBytes without its constant 0x63 (which is folded into the round keys).

    The 113-gate circuit of Boyar and Peralta ("A depth-16 circuit for the AES S-box", 2011), its intermediate values
    put in 24 names so that few of them are alive at a time.
    """
    a, b, c, d, e, f, g, h = planes
    f = g ^ f
    i = f ^ a
    j = h ^ c
    k = i ^ e
    m = i ^ h
    n = i ^ b
    b = h ^ b
    p = h ^ e
    e = e ^ c
    q = n ^ j
    r = b ^ e
    d = d ^ r
    c = d ^ c
    d = d ^ g
    g = r & c
    s = c ^ f
    t = d ^ p
    f = f ^ t
    u = p & t
    v = a ^ t
    w = b & f
    x = (j & s) ^ u
    h = (((m & v) ^ w) ^ x) ^ (h ^ f)
    x = (((k & a) ^ g) ^ x) ^ (s ^ j)
    y = c ^ a
    z = s ^ t
    u = (e & z) ^ u
    d = (((q & y) ^ g) ^ u) ^ d
    g = (((n & i) ^ w) ^ u) ^ (b ^ f)
    u = d ^ x
    d = d & g
    w = h ^ d
    d = ((x ^ d) & (g ^ h)) ^ h
    a = d & a
    x = (u & w) ^ x
    v = x & v
    h = h & (w ^ d)
    u = u ^ (x & (w ^ h))
    g = h ^ (g ^ d)
    h = v ^ (u & n)
    n = g & q
    i = u & i
    q = u ^ g
    u = x ^ u
    b = u & b
    f = u & f
    u = x ^ d
    w = u ^ q
    e = w & e
    w = w & z
    t = f ^ ((u & t) ^ w)
    p = (u & p) ^ e
    u = i ^ t
    i = i ^ p
    s = (w ^ (q & s)) ^ i
    w = (b ^ h) ^ s
    z = d ^ g
    i = ((z & r) ^ n) ^ i
    c = (z & c) ^ f
    f = (g & y) ^ i
    g = t ^ i
    b = (a ^ b) ^ c
    i = ((x & m) ^ b) ^ s
    e = (e ^ (q & j)) ^ (u ^ i)
    d = (n ^ (d & k)) ^ i
    b = h ^ (p ^ b)
    a = (a ^ v) ^ f
    c = c ^ f
    f = u ^ c
    return [b, w, d, a, c, e, f, g]


def _affine_inverse(x):
    return [x[(i + 2) & 7] ^ x[(i + 5) & 7] ^ x[(i + 7) & 7] for i in range(8)]


def _transpose(p, ones):
    """Exchange bit i of integer j with bit j of integer i, in every byte; its own inverse."""
    for step, mask in ((1, 0x5555 * ones), (2, 0x3333 * ones), (4, 0x0F0F * ones)):
        for j in range(8):
            if not j & step:
                t = ((p[j] >> step) ^ p[j + step]) & mask
                p[j + step] ^= t
                p[j] ^= t << step


def _mix(p, ones):
    """MixColumns: each byte becomes 2a + 3b + c + d of its column."""
    low12, high4, low8, high8 = 0x0FFF * ones, 0xF000 * ones, 0x00FF * ones, 0xFF00 * ones
    nexts = []
    sums = []
    for x in p:
        y = ((x >> 4) & low12) | ((x << 12) & high4)
        nexts.append(y)
        sums.append(x ^ y)
    top = sums[7]
    for i in range(8):
        t = sums[i]
        p[i] = sums[i - 1] ^ nexts[i] ^ ((t >> 8) & low8) ^ ((t << 8) & high8)
        if i in (1, 3, 4):
            p[i] ^= top


class Aes:
    """A key of 16 or 32 bytes, expanded. `ValueError` for another length."""

    def __init__(self, key):
        words = len(key) // 4
        if len(key) not in (16, 32):
            raise ValueError("key length")
        self.rounds = words + 6
        # 0x63 of SubBytes goes through ShiftRows and MixColumns unchanged, hence into the next round key.
        expanded = bytearray(16 * (self.rounds + 1))
        expanded[: len(key)] = key
        rcon = 1
        four = bytearray(16)
        for i in range(len(key), len(expanded), 4):
            four[:4] = expanded[i - 4 : i]
            if i % len(key) == 0:
                four[0], four[1], four[2], four[3] = four[1], four[2], four[3], four[0]
            if i % len(key) == 0 or (words == 8 and i % 32 == 16):
                p = _substitute(_planes(four, 0, 1))
                _bytes(p, four, 0, 1)
                for j in range(4):
                    four[j] ^= 0x63
            if i % len(key) == 0:
                four[0] ^= rcon
                rcon = (rcon << 1) ^ (0x11B if rcon & 0x80 else 0)
            for j in range(4):
                expanded[i + j] = expanded[i + j - len(key)] ^ four[j]
        self._keys = array("H")
        for i in range(self.rounds + 1):
            for j, x in enumerate(_planes(expanded, 16 * i, 1)):
                self._keys.append(x ^ (0xFFFF if i and 0x63 >> j & 1 else 0))
        wipe(expanded)
        wipe(four)

    def _add_key(self, p, index, ones):
        for i in range(8):
            p[i] ^= self._keys[8 * index + i] * ones

    def encrypt(self, buf, at, count):
        """Encrypt `count` blocks of a bytearray in place, each by itself, from offset `at`."""
        ones = _ones(count)
        p = _planes(buf, at, count)
        halves, keep, left, right = 0x3300 * ones, 0x0F0F * ones, 0x7070 * ones, 0x8080 * ones
        self._add_key(p, 0, ones)
        for index in range(1, self.rounds + 1):
            p = _substitute(p)
            for i in range(8):  # ShiftRows: rows 2 and 3 by two, then rows 1 and 3 by one
                x = p[i]
                x ^= (((x >> 2) ^ x) & halves) * 5
                p[i] = (x & keep) | ((x >> 1) & left) | ((x << 3) & right)
            if index < self.rounds:
                _mix(p, ones)
            self._add_key(p, index, ones)
        _bytes(p, buf, at, count)

    def decrypt(self, buf, at, count):
        """Decrypt `count` blocks of a bytearray in place, each by itself, from offset `at`."""
        ones = _ones(count)
        p = _planes(buf, at, count)
        halves, keep, left, right = 0x3300 * ones, 0x0F0F * ones, 0xE0E0 * ones, 0x1010 * ones
        low8, high8 = 0x00FF * ones, 0xFF00 * ones
        for index in range(self.rounds, 0, -1):
            self._add_key(p, index, ones)
            if index < self.rounds:
                # Inverse MixColumns: first add 4(a + c) to each byte, then mix forward.
                w = [x ^ ((x >> 8) & low8) ^ ((x << 8) & high8) for x in p]
                a, b = w[6], w[7]
                for i, x in enumerate((a, a ^ b, w[0] ^ b, w[1] ^ a, w[2] ^ a ^ b, w[3] ^ b, w[4], w[5])):
                    p[i] ^= x
                _mix(p, ones)
            for i in range(8):
                x = p[i]
                x = (x & keep) | ((x << 1) & left) | ((x >> 3) & right)
                p[i] = x ^ (((x >> 2) ^ x) & halves) * 5
            # With S = affine(inverse), S undone is affine undone, S, affine undone: one circuit serves both ways.
            p = _affine_inverse(_substitute(_affine_inverse(p)))
        self._add_key(p, 0, ones)
        _bytes(p, buf, at, count)

    def wipe(self):
        wipe(self._keys)


def _ones(count):
    """A one in each group of 16 bits: multiplies the pattern of one block to all."""
    return (1 << 16 * count) // 0xFFFF


def _planes(buf, at, count):
    """Eight planes of the `count` blocks at offset `at`."""
    split = bytearray(16 * count)
    for i in range(16 * count):
        # Byte i & 15 of block i >> 4 is row i & 3, column i >> 2 & 3. Integer j takes rows j >> 2 and (j >> 2) + 2.
        j = (i & 1) << 2 | i >> 2 & 3
        split[2 * count * j + (i >> 4 << 1) + (i >> 1 & 1)] = buf[at + i]
    p = [int.from_bytes(split[2 * count * j : 2 * count * (j + 1)], "little") for j in range(8)]
    _transpose(p, _ones(count))
    return p


def _bytes(p, buf, at, count):
    """The reverse of `_planes`; spoils p."""
    _transpose(p, _ones(count))
    for j in range(8):
        part = p[j].to_bytes(2 * count, "little")
        base = at + (j >> 2) + 4 * (j & 3)
        for i in range(count):
            buf[base + 16 * i] = part[2 * i]
            buf[base + 16 * i + 2] = part[2 * i + 1]
