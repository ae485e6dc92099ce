"""Multiplication on P-256 (FIPS 186) over kernels/field.py, for uike/crypto/p256.py. Loaded when a key exchange starts.

Points are projective (X : Y : Z), in Montgomery's representation; one addition formula serves for every pair of points,
doubling and infinity included (Renes, Costello and Batina 2016, algorithm 4). Four bits of the scalar at a time pick a
multiple out of a table that is read whole. The coordinates are randomised (Coron 1999): what is left of a secret in the
last conversion to bytes, which is Python's, differs in each run.
"""

from array import array

from uike.crypto import wipe
from uike.crypto.esp32.kernels import field

_P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

# Registers: sixteen multiples of the point in the first 48, then the sum, what is added to it, b and the formula's own.
_SUM, _OTHER, _CONST_B = 48, 51, 54
_ROW = 60  # words of a point

# Z ** (p - 2), for field.powers(): first 2**n - 1 with n = 2, 4, 8, 16, 32, then the digits of the exponent.
_INVERSE = 60
_INVERSION = (
    ((55, 50, 1, 50), (56, 55, 2, 55), (57, 56, 4, 56), (58, 57, 8, 57), (59, 58, 16, 58))
    + ((61, 59, 32, 50), (60, 61, 128, 59), (61, 60, 32, 59), (60, 61, 16, 58), (61, 60, 8, 57))
    + ((60, 61, 4, 56), (61, 60, 2, 55), (60, 61, 2, 50))
)


def _formula(q):
    """The program of SUM = SUM + (three registers from q)."""
    m, a, s, f = field.MULTIPLY, field.ADD, field.SUBTRACT, field.SCALE  # f: three times a number
    x1, y1, z1, x2, y2, z2, b = _SUM, _SUM + 1, _SUM + 2, q, q + 1, q + 2, _CONST_B
    xx, yy, zz, xy, yz, xz, u, v, w, t = range(_CONST_B + 1, _CONST_B + 11)
    steps = (
        ((m, xx, x1, x2), (m, yy, y1, y2), (m, zz, z1, z2))
        + ((a, t, x1, y1), (a, u, x2, y2), (m, xy, t, u), (s, xy, xy, xx), (s, xy, xy, yy))
        + ((a, t, y1, z1), (a, u, y2, z2), (m, yz, t, u), (s, yz, yz, yy), (s, yz, yz, zz))
        + ((a, t, x1, z1), (a, u, x2, z2), (m, xz, t, u), (s, xz, xz, xx), (s, xz, xz, zz))
        + ((m, t, b, zz), (s, u, xz, t), (f, u, u, u))
        + ((f, t, zz, zz), (m, v, b, xz), (s, v, v, t), (s, v, v, xx), (f, v, v, v))
        + ((s, w, xx, zz), (f, w, w, w))
        + ((a, t, yy, u), (s, u, yy, u))  # plus, minus
        + ((m, xx, t, xy), (m, yy, yz, v), (s, x1, xx, yy))
        + ((m, xx, t, u), (m, yy, w, v), (a, y1, xx, yy))
        + ((m, xx, yz, u), (m, yy, xy, w), (a, z1, xx, yy))
    )
    return b"".join([bytes(step) for step in steps])


def _execute(registers, program, choice=0):
    field.run(registers, 0, registers, program, len(program) // 4, field.P256, choice)


def _table(r, x, y, z):
    """Puts 0 ... 15 times the point (x : y : z) into the first 48 registers; the first of them is infinity."""
    for index, value in enumerate((0, z, 0, x, y, z)):
        field.store(r, index, (value << 260) % _P)
    view = memoryview(r)
    row, total = field.size(0), field.size(_SUM)
    view[total : total + _ROW] = view[row : row + _ROW]
    add = _formula(3)
    for i in range(1, 16):
        _execute(r, add)
        view[row + _ROW * i : row + _ROW * (i + 1)] = view[total : total + _ROW]
    view[total : total + _ROW] = view[row : row + _ROW]


def _affine(r):
    """(x, y) of the sum, integers; (0, 0) for infinity."""
    field.powers(r, _INVERSION, field.P256)
    field.store(r, _CONST_B + 1, 1)  # a product with it leaves Montgomery's representation
    found = []
    for i in (_SUM, _SUM + 1):
        _execute(r, bytes((field.MULTIPLY, i, i, _INVERSE, field.MULTIPLY, i, i, _CONST_B + 1)))
        found.append(field.load(r, i, _P))
    return tuple(found)


def multiply(scalar, x, y, random):
    """Coordinates of scalar * (x, y), an integer below 2**260 and a point of the curve; (0, 0) for infinity.

    random(n) is for blinding."""
    z = int.from_bytes(random(31), "big") | 1
    r = array("i", bytes(4 * field.size(_CONST_B + 11)))
    field.prepare(r, _P)
    field.store(r, _CONST_B, (_B << 260) % _P)
    _table(r, x * z, y * z, z)
    twice, add = _formula(_SUM), bytes((field.PICK, _OTHER, 0, 0)) + _formula(_OTHER)
    digits = bytearray(scalar.to_bytes(33, "big"))
    for i in range(65):
        for _ in range(4):
            _execute(r, twice)
        byte = digits[(i + 1) >> 1]
        _execute(r, add, byte & 15 if not i & 1 else byte >> 4)
    point = _affine(r)
    wipe(digits)
    wipe(r)
    return point
