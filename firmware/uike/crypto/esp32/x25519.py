"""X25519 (RFC 7748 section 5) over kernels/field.py, for uike/crypto/x25519.py. Loaded when a key exchange starts.

The ladder and the inversion run the same instructions for every key. The coordinates are randomised all the same (Coron
1999): what is left of a secret in the last conversion to bytes, which is Python's, differs in each run.
"""

from array import array

from uike.crypto import wipe
from uike.crypto.esp32.kernels import field

_P = (1 << 255) - 19

# One step of the ladder, in the names of RFC 7748; registers 0 ... 4 are x1, x2, z2, x3, z3.
_STEP = bytes(
    (field.SWAP, 0, 1, 3)
    + (field.SWAP, 0, 2, 4)
    + (field.ADD, 5, 1, 2)  # A
    + (field.SUBTRACT, 6, 1, 2)  # B
    + (field.ADD, 7, 3, 4)  # C
    + (field.SUBTRACT, 8, 3, 4)  # D
    + (field.MULTIPLY, 8, 8, 5)  # DA
    + (field.MULTIPLY, 7, 7, 6)  # CB
    + (field.ADD, 3, 8, 7)
    + (field.SUBTRACT, 4, 8, 7)
    + (field.MULTIPLY, 3, 3, 3)
    + (field.MULTIPLY, 4, 4, 4)
    + (field.MULTIPLY, 4, 4, 0)
    + (field.MULTIPLY, 5, 5, 5)  # AA
    + (field.MULTIPLY, 6, 6, 6)  # BB
    + (field.MULTIPLY, 1, 5, 6)
    + (field.SUBTRACT, 6, 5, 6)  # E
    + (field.SCALE, 7, 6, 5)  # AA + a24 * E
    + (field.MULTIPLY, 2, 6, 7)
)
_LAST = bytes((field.MULTIPLY, 8, 8, 1))

# z2 ** (2**255 - 21) in register 8, for field.powers(): the powers 9, 11, 2**5 - 1, then 2**n - 1 with n = 10, 20, 40,
# 50, 100, 200, 250 (Bernstein 2006).
_INVERSION = ((5, 2, 3, 2), (6, 2, 1, 5), (7, 6, 1, 5), (8, 7, 5, 7), (9, 8, 10, 8), (0, 9, 20, 9)) + (
    (3, 0, 10, 8),
    (4, 3, 50, 3),
    (5, 4, 100, 4),
    (7, 5, 50, 3),
    (8, 7, 5, 6),
)


def multiply(scalar, u, random):
    """The function X25519 (RFC 7748 section 5): 32-byte scalar, 32-byte u -> 32 bytes. random(n) is for blinding."""
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    x1 = int.from_bytes(u, "little") & ((1 << 255) - 1)
    z3 = int.from_bytes(random(31), "little") | 1
    r = array("i", bytes(4 * field.size(10)))
    field.prepare(r, _P)
    for index, value in enumerate((x1, z3, 0, x1 * z3 % _P, z3)):
        field.store(r, index, value)
    run = field.run
    last = 0
    for t in range(254, -1, -1):
        bit = k[t >> 3] >> (t & 7) & 1
        run(r, 0, r, _STEP, 19, field.P25519, bit ^ last)
        last = bit
    run(r, 0, r, _STEP, 2, field.P25519, last)
    wipe(k)
    field.powers(r, _INVERSION, field.P25519)
    run(r, 0, r, _LAST, 1, field.P25519, 0)
    out = field.load(r, 8, _P).to_bytes(32, "little")
    wipe(r)
    return out
