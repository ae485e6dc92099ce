"""DES, one block, to encrypt (FIPS 46-3): MS-CHAPv2 needs three of them and nobody else any. Transient.

Not in constant time: what it protects falls to whoever hears the exchange anyhow.
"""

_PC1 = bytes(
    (57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36)
    + (63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4)
)
_PC2 = bytes(
    (14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2)
    + (41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32)
)
_IP = bytes([row - 8 * i for row in (58, 60, 62, 64, 57, 59, 61, 63) for i in range(8)])
_FP = bytes([row - i for i in range(8) for row in (40, 8, 48, 16, 56, 24, 64, 32)])
_P = bytes((16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10))
_P += bytes((2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25))
_SHIFTS = b"\1\1\2\2\2\2\2\2\1\2\2\2\2\2\2\1"
_BOXES = (  # four rows of sixteen each
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)


def encrypt(key, block):
    """The 8 bytes of `block` under 56 bits of key, 7 bytes: those of parity are ours to add."""
    bits = int.from_bytes(key, "big")
    wide = 0
    for i in range(8):
        wide = wide << 8 | (bits >> (49 - 7 * i) & 0x7F) << 1
    key = _permute(wide, 64, _PC1)
    left, right = key >> 28, key & 0xFFFFFFF
    state = _permute(int.from_bytes(block, "big"), 64, _IP)
    a, b = state >> 32, state & 0xFFFFFFFF
    for by in _SHIFTS:
        left = (left << by | left >> (28 - by)) & 0xFFFFFFF
        right = (right << by | right >> (28 - by)) & 0xFFFFFFF
        a, b = b, a ^ _mix(b, _permute(left << 28 | right, 56, _PC2))
    return _permute(b << 32 | a, 64, _FP).to_bytes(8, "big")


def _mix(half, key):
    ring = (half & 1) << 33 | half << 1 | half >> 31  # each six bits overlap their neighbours by one
    mixed = 0
    for i in range(8):
        six = (ring >> (28 - 4 * i) ^ key >> (42 - 6 * i)) & 0x3F
        at = (six & 0x20) | (six & 1) << 4 | six >> 1 & 0x0F
        mixed = mixed << 4 | int(_BOXES[i][at], 16)
    return _permute(mixed, 32, _P)


def _permute(value, size, table):
    made = 0
    for place in table:
        made = made << 1 | value >> (size - place) & 1
    return made
