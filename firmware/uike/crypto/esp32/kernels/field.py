"""Arithmetic modulo 2**255 - 19 and the prime of P-256, in native code. Used by x25519.py and p256.py.

A number is 20 words of 13 bits, signed: after every operation each lies in -4096 ... 4200 or so, so that a column of a
product stays below 2**31. A whole formula runs in one call, as a list of steps of four bytes: operation, result and two
operands, the numbers of registers. P-256 multiplies as Montgomery does, with R = 2**260 (-1/p is 1 modulo 2**13).
The same instructions run whatever the numbers are, and `int` is taken for 32 bits wide or more.
"""

import micropython

MULTIPLY, ADD, SUBTRACT, SWAP, PICK = range(5)
P25519, P256 = 0, 1  # `prime` of run()

_WORDS = 20  # of a register
_FIRST = 72  # word of register 0; before it 3 zeros, a factor reversed, 3 zeros, and the 40 columns of a product
_COLUMNS = 28


def size(registers):
    """Words of the array("i") that holds so many registers and what run() needs itself."""
    return _FIRST + _WORDS * registers


def store(registers, index, value):
    """Put an integer of 0 ... 2**260 - 1 into a register."""
    at = _FIRST + _WORDS * index
    for i in range(at, at + _WORDS):
        registers[i] = value & 0x1FFF
        value >>= 13


def load(registers, index, prime):
    """The number in a register, modulo `prime`, an integer."""
    value = 0
    for i in range(_FIRST + _WORDS * index + _WORDS - 1, _FIRST + _WORDS * index - 1, -1):
        value = (value << 13) + registers[i]
    return value % prime


@micropython.viper
def run(p: ptr32, q: ptr32, acc: int, program: ptr8, steps: int, prime: int, choice: int):
    """Carry out `steps` steps of a program. p and q are both the registers and acc is 0: the first three parameters
    live in machine registers. `choice`: SWAP exchanges two registers if it is 1; PICK copies three
    registers, out of that row of a table of sixteen."""
    base = int(p)
    t = ptr32(base + 4 * _COLUMNS)
    t[39] = 0
    c = 0
    k = 0
    n = 0
    while steps > 0:
        op = program[0]
        r = base + 4 * _FIRST + 4 * _WORDS * program[1]
        a = base + 4 * _FIRST + 4 * _WORDS * program[2]
        b = base + 4 * _FIRST + 4 * _WORDS * program[3]
        program = ptr8(int(program) + 4)
        steps -= 1
        p = ptr32(a)
        q = ptr32(b)
        if op == 3:
            k = 0 - choice
            n = 0
            while n < 20:
                acc = (p[n] ^ q[n]) & k
                p[n] = p[n] ^ acc
                q[n] = q[n] ^ acc
                n += 1
            continue
        if op == 4:
            q = ptr32(r)
            n = 0
            while n < 60:
                q[n] = 0
                n += 1
            c = 0
            while c < 16:
                k = c ^ choice
                k = ((0 - k) >> 31) + 1  # 1 for the row that is meant, 0 for the others
                k = 0 - (k & 1)
                n = 0
                while n < 60:
                    q[n] = q[n] | (p[n] & k)
                    n += 1
                p = ptr32(int(p) + 240)
                c += 1
            continue
        x = int(t)
        if op == 1:
            n = 0
            while n < 20:
                t[n] = p[n] + q[n]
                n += 1
        elif op == 2:
            n = 0
            while n < 20:
                t[n] = p[n] - q[n]
                n += 1
        else:
            p = ptr32(base + 12 + 76)
            n = 20
            while n > 0:
                p[0] = q[0]
                p = ptr32(int(p) - 4)
                q = ptr32(int(q) + 4)
                n -= 1
            # Column k is the product of a part of one factor and a part of the other reversed, four words at a time;
            # the zeros around the reversed one fill up the last four.
            k = 0
            while k < 39:
                if k < 20:
                    n = (k + 4) >> 2
                    p = ptr32(a)
                    q = ptr32(base + 12 + 4 * (19 - k))
                else:
                    n = (42 - k) >> 2
                    p = ptr32(a + 80 - 16 * n)
                    q = ptr32(base + 12 + 4 * (39 - k) - 16 * n)
                acc = 0
                while n > 0:
                    acc += p[0] * q[0]
                    acc += p[1] * q[1]
                    acc += p[2] * q[2]
                    acc += p[3] * q[3]
                    p = ptr32(int(p) + 16)
                    q = ptr32(int(q) + 16)
                    n -= 1
                t[k] = acc
                k += 1
            t[39] = 0
            p = t
            if prime == 0:
                c = 0
                n = 39
                while n > 0:
                    acc = p[0] + c
                    c = ((((acc + 4096) >> 13) & 0x7FFFF) ^ 0x40000) - 0x40000
                    p[0] = acc - (c << 13)
                    p = ptr32(int(p) + 4)
                    n -= 1
                p[0] = c
                p = t
                n = 20
                while n > 0:  # 2**260 is 608
                    p[0] = p[0] + p[20] * 608
                    p = ptr32(int(p) + 4)
                    n -= 1
            else:
                n = 20
                while n > 0:  # m * p * 2**13i with p = 2**256 - 2**224 + 2**192 + 2**96 - 1 clears word i
                    acc = p[0]
                    c = ((((acc + 4096) >> 13) & 0x7FFFF) ^ 0x40000) - 0x40000
                    acc -= c << 13
                    p[1] = p[1] + c
                    p[7] = p[7] + (acc << 5)
                    p[14] = p[14] + (acc << 10)
                    p[17] = p[17] - (acc << 3)
                    p[19] = p[19] + (acc << 9)
                    p = ptr32(int(p) + 4)
                    n -= 1
                x = int(p)
        # Carry, take multiples of the prime off the top, and carry again: now every word is short.
        p = ptr32(x)
        q = p
        k = 2
        while k > 0:
            c = 0
            n = 19
            while n > 0:
                acc = p[0] + c
                c = ((((acc + 4096) >> 13) & 0x7FFFF) ^ 0x40000) - 0x40000
                q[0] = acc - (c << 13)
                p = ptr32(int(p) + 4)
                q = ptr32(int(q) + 4)
                n -= 1
            acc = p[0] + c
            k -= 1
            if k == 0:
                q[0] = acc
            else:
                p = ptr32(x)
                if prime == 0:
                    c = ((((acc + 128) >> 8) & 0xFFFFFF) ^ 0x800000) - 0x800000
                    p[19] = acc - (c << 8)
                    p[0] = p[0] + c * 19
                else:
                    c = ((((acc + 256) >> 9) & 0x7FFFFF) ^ 0x400000) - 0x400000
                    p[19] = acc - (c << 9)
                    p[0] = p[0] + c
                    p[7] = p[7] - (c << 5)
                    p[14] = p[14] - (c << 10)
                    p[17] = p[17] + (c << 3)
                q = ptr32(r)
