"""MD4 and MD5 (RFC 1320, RFC 1321): broken as hashes, and what MS-CHAPv2 and EAP-MD5 are made of. Transient.

Not the platform's: no port has MD4, some have no MD5, and the two differ in little.
"""

import struct

_M = 0xFFFFFFFF
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_MD4 = (  # constant, shifts, order of the words, of each round
    (0, b"\x03\x07\x0b\x13", bytes(range(16))),
    (0x5A827999, b"\x03\x05\x09\x0d", b"\0\4\x08\x0c\1\5\x09\x0d\2\6\x0a\x0e\3\7\x0b\x0f"),
    (0x6ED9EBA1, b"\x03\x09\x0b\x0f", b"\0\x08\4\x0c\2\x0a\6\x0e\1\x09\5\x0d\3\x0b\7\x0f"),
)
_MD5 = (b"\x07\x0c\x11\x16", b"\x05\x09\x0e\x14", b"\x04\x0b\x10\x17", b"\x06\x0a\x0f\x15")
_STEPS = ((1, 0), (5, 1), (3, 5), (7, 0))  # word of step i: factor * i + offset
# floor(2^32 * abs(sin(i))), i from 1 to 64, in hexadecimal
_SINES = (
    "d76aa478e8c7b756242070dbc1bdceeef57c0faf4787c62aa8304613fd469501698098d88b44f7afffff5bb1895cd7be"
    "6b901122fd987193a679438e49b40821f61e2562c040b340265e5a51e9b6c7aad62f105d02441453d8a1e681e7d3fbc8"
    "21e1cde6c33707d6f4d50d87455a14eda9e3e905fcefa3f8676f02d98d2a4c8afffa39428771f6816d9d6122fde5380c"
    "a4beea444bdecfa9f6bb4b60bebfbc70289b7ec6eaa127fad4ef308504881d05d9d4d039e6db99e51fa27cf8c4ac5665"
    "f4292244432aff97ab9423a7fc93a039655b59c38f0ccc92ffeff47d85845dd16fa87e4ffe2ce6e0a30143144e0811a1"
    "f7537e82bd3af2352ad7d2bbeb86d391"
)


def md4(data):
    """16 bytes."""
    return _digest(data, _md4)


def md5(data):
    """16 bytes."""
    return _digest(data, _md5)


def _digest(data, step):
    state = _START
    padded = bytes(data) + b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack("<Q", 8 * len(data))
    for at in range(0, len(padded), 64):
        fresh = step(state, struct.unpack_from("<16I", padded, at))
        state = tuple([(old + new) & _M for old, new in zip(state, fresh)])
    return struct.pack("<4I", *state)


def _rotate(value, by):
    value &= _M
    return (value << by | value >> (32 - by)) & _M


def _md4(state, words):
    a, b, c, d = state
    for number in range(3):
        constant, shifts, order = _MD4[number]
        for i in range(16):
            mixed = (b & c | ~b & d, b & c | b & d | c & d, b ^ c ^ d)[number]
            a, b, c, d = d, _rotate(a + mixed + words[order[i]] + constant, shifts[i & 3]), b, c
    return a, b, c, d


def _md5(state, words):
    a, b, c, d = state
    for i in range(64):
        number = i >> 4
        mixed = (b & c | ~b & d, d & b | ~d & c, b ^ c ^ d, c ^ (b | ~d & _M))[number]
        factor, offset = _STEPS[number]
        word = words[(factor * i + offset) & 15] + int(_SINES[8 * i : 8 * i + 8], 16)
        a, b, c, d = d, (b + _rotate(a + mixed + word, _MD5[number][i & 3])) & _M, b, c
    return a, b, c, d
