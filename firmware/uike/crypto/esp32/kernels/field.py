"""Arithmetic modulo 2**255 - 19 and the prime of P-256, in native code. Used by x25519.py and p256.py.

A number is 20 words of 13 bits. After every operation each word is below 2**13 and the number below 2**256 or a little
more, so that a column of a product stays below 2**31, and nothing is negative. A whole formula runs in one call, as a
list of steps of four bytes: operation, result and two operands, the numbers of registers. P-256 multiplies as
Montgomery does, with R = 2**260 (-1/p is 1 modulo 2**13). The same instructions run whatever the numbers are.
"""

import micropython

MULTIPLY, ADD, SUBTRACT, SWAP, PICK, SCALE = range(6)  # SCALE: the first operand times 121665 or 2, plus the other
P25519, P256 = 0, 1  # `prime` of run()

_WORDS = 20  # of a register
_BIAS = 40  # before the registers: the columns of a product, then a multiple of the prime, all words of it large
_FIRST = 60  # word of register 0


def size(registers):
    """Words of the array("i") that holds so many registers and what run() needs itself."""
    return _FIRST + _WORDS * registers


def prepare(registers, prime):
    """Lay out what SUBTRACT adds: 64 or 32 times the prime, each word of it from 2**13 to 2**14 and a little more."""
    value = (prime << (6 if prime >> 255 == 0 else 5)) - ((1 << 260) - 1) // 0x1FFF * 0x2000
    for i in range(_BIAS, _BIAS + _WORDS):
        registers[i] = (value & 0x1FFF) + 0x2000
        value >>= 13


def store(registers, index, value):
    """Put an integer of 0 ... 2**256 - 1 into a register."""
    at = _FIRST + _WORDS * index
    for i in range(at, at + _WORDS):
        registers[i] = value & 0x1FFF
        value >>= 13


def load(registers, index, prime):
    """The number in a register, modulo `prime`, an integer."""
    value = 0
    for i in range(_FIRST + _WORDS * index + _WORDS - 1, _FIRST + _WORDS * index - 1, -1):
        value = value << 13 | registers[i]
    return value % prime


@micropython.viper
def run(p: ptr32, x: int, work: ptr32, program: ptr8, steps: int, prime: int, choice: int):
    """Carry out `steps` steps of a program. p and work are both the registers and x is 0: the first two parameters
    live in machine registers. `choice`: SWAP exchanges two registers if it is 1; PICK copies three registers, out of
    that row of a table of sixteen."""
    base = int(work)
    t = work
    q = work
    c = 0
    while steps > 0:
        r = base + 4 * _FIRST + 4 * _WORDS * program[1]
        a = base + 4 * _FIRST + 4 * _WORDS * program[2]
        op = program[0]
        p = ptr32(a)
        q = ptr32(base + 4 * _FIRST + 4 * _WORDS * program[3])
        program = ptr8(int(program) + 4)
        steps -= 1
        if op == 3:
            c = 0 - choice
            n = 20
            while n > 0:
                x = (p[0] ^ q[0]) & c
                p[0] = p[0] ^ x
                q[0] = q[0] ^ x
                p = ptr32(int(p) + 4)
                q = ptr32(int(q) + 4)
                n -= 1
            continue
        if op == 4:
            q = ptr32(r)
            n = 0
            while n < 60:
                q[n] = 0
                n += 1
            row = 0
            while row < 16:
                x = row ^ choice
                x = ((x - 1) >> 4) & 1  # 1 for the row that is meant, 0 for the others
                x = 0 - x
                n = 0
                while n < 60:
                    q[n] = q[n] | (p[n] & x)
                    n += 1
                p = ptr32(int(p) + 240)
                row += 1
            continue
        d = t
        if op == 1:
            n = 5
            while n > 0:
                d[0] = p[0] + q[0]
                d[1] = p[1] + q[1]
                d[2] = p[2] + q[2]
                d[3] = p[3] + q[3]
                p = ptr32(int(p) + 16)
                q = ptr32(int(q) + 16)
                d = ptr32(int(d) + 16)
                n -= 1
            d = t
        elif op == 2:
            n = 5
            while n > 0:
                d[0] = p[0] - q[0] + d[_BIAS]
                d[1] = p[1] - q[1] + d[_BIAS + 1]
                d[2] = p[2] - q[2] + d[_BIAS + 2]
                d[3] = p[3] - q[3] + d[_BIAS + 3]
                p = ptr32(int(p) + 16)
                q = ptr32(int(q) + 16)
                d = ptr32(int(d) + 16)
                n -= 1
            d = t
        elif op == 5:
            x = 2
            if prime == 0:
                x = 121665
            n = 5
            while n > 0:
                d[0] = x * p[0] + q[0]
                d[1] = x * p[1] + q[1]
                d[2] = x * p[2] + q[2]
                d[3] = x * p[3] + q[3]
                p = ptr32(int(p) + 16)
                q = ptr32(int(q) + 16)
                d = ptr32(int(d) + 16)
                n -= 1
            d = t
        else:
            p = t
            x = 0
            n = 10
            while n > 0:
                p[0] = x
                p[1] = x
                p[2] = x
                p[3] = x
                p = ptr32(int(p) + 16)
                n -= 1
            p = t
            d = ptr32(a)
            n = 20
            while n > 0:
                x = d[0]
                p[0] = x * q[0] + p[0]
                p[1] = x * q[1] + p[1]
                p[2] = x * q[2] + p[2]
                p[3] = x * q[3] + p[3]
                p[4] = x * q[4] + p[4]
                p[5] = x * q[5] + p[5]
                p[6] = x * q[6] + p[6]
                p[7] = x * q[7] + p[7]
                p[8] = x * q[8] + p[8]
                p[9] = x * q[9] + p[9]
                p[10] = x * q[10] + p[10]
                p[11] = x * q[11] + p[11]
                p[12] = x * q[12] + p[12]
                p[13] = x * q[13] + p[13]
                p[14] = x * q[14] + p[14]
                p[15] = x * q[15] + p[15]
                p[16] = x * q[16] + p[16]
                p[17] = x * q[17] + p[17]
                p[18] = x * q[18] + p[18]
                p[19] = x * q[19] + p[19]
                p = ptr32(int(p) + 4)
                d = ptr32(int(d) + 4)
                n -= 1
            p = t
            if prime == 0:
                p = ptr32(int(t) + 80)
                c = 0
                n = 19
                while n > 0:
                    x = p[0] + c
                    p[0] = x & 0x1FFF
                    c = x >> 13
                    p = ptr32(int(p) + 4)
                    n -= 1
                p[0] = c
                d = t
                p = t
                n = 20
                while n > 0:  # 2**260 is 608
                    p[0] = p[20] * 608 + p[0]
                    p = ptr32(int(p) + 4)
                    n -= 1
            else:
                n = 20
                while n > 0:  # x * prime * 2**13i clears word i: the prime is -1 + 2**96 + 2**192 + ...
                    x = p[0]
                    p[1] = (x >> 13) + p[1]
                    x = x & 0x1FFF
                    p[7] = (x << 5) + p[7]
                    p[14] = (x << 10) + p[14]
                    p[17] = x * 0x1FF8 + p[17]
                    p[18] = x * 0x1FFF + p[18]
                    p[19] = x * 0x1FF + p[19]
                    p = ptr32(int(p) + 4)
                    n -= 1
                d = p
        if op == 0 or op == 5:  # words are long: carry
            p = d
            c = 0
            n = 19
            while n > 0:
                x = p[0] + c
                p[0] = x & 0x1FFF
                c = x >> 13
                p = ptr32(int(p) + 4)
                n -= 1
            p[0] = p[0] + c
        # Take multiples of the prime off the top, and carry.
        p = d
        x = p[19]
        if prime == 0:
            c = x >> 8
            p[19] = x & 0xFF
            p[0] = c * 19 + p[0]
        else:
            c = x >> 9
            p[19] = x & 0x1FF
            p[0] = p[0] + c
            p[7] = p[7] + c * 0x1FE0
            p[8] = p[8] + c * 0x1FFF
            p[9] = p[9] + c * 0x1FFF
            p[10] = p[10] + c * 0x1FFF
            p[11] = p[11] + c * 0x1FFF
            p[12] = p[12] + c * 0x1FFF
            p[13] = p[13] + c * 0x1FFF
            p[14] = p[14] + c * 0x1BFF
            p[15] = p[15] + c * 0x1FFF
            p[16] = p[16] + c * 0x1FFF
            p[17] = p[17] + c * 7
        q = ptr32(r)
        c = 0
        n = 5
        while n > 0:
            x = p[0] + c
            q[0] = x & 0x1FFF
            c = x >> 13
            x = p[1] + c
            q[1] = x & 0x1FFF
            c = x >> 13
            x = p[2] + c
            q[2] = x & 0x1FFF
            c = x >> 13
            x = p[3] + c
            q[3] = x & 0x1FFF
            c = x >> 13
            p = ptr32(int(p) + 16)
            q = ptr32(int(q) + 16)
            n -= 1


def powers(registers, rows, prime):
    """For each row (result, source, n, factor): result = source ** 2**n * factor; n is 1 or more, and the result none
    of the others."""
    for result, source, n, factor in rows:
        program = bytes((MULTIPLY, result, source, source)) + bytes((MULTIPLY, result, result, result)) * (n - 1)
        run(registers, 0, registers, program + bytes((MULTIPLY, result, result, factor)), n + 1, prime, 0)
