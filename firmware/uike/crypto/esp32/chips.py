"""Where each chip keeps its big-number engine (MPI, also called RSA) and its elliptic curve engine (ECC).

Restated from Espressif's register headers (ESP-IDF 5.5 components/soc). Rows for H2, C5, P4 and C2 follow the headers
alone; like every other row none has met its silicon here, which is why no result is used without a proof (`mpi`).

A row of power, common to both engines:
    system base, clock offset and bit, reset offset and bit, others: (offset, mask) of resets that hold this engine too,
    offset of the memory's power register (bit 0 down, bit 1 forced up, bit 2 forced down) or 0
"""

# engine base, largest operand and step in words, products of two words in a microsecond of the slowest clock, power
MPI = {
    "esp32": (0x3FF02000, 128, 16, 146, (0x3FF00000, 0x1C, 2, 0x20, 2, ((0x20, 1 << 4),), 0x490)),
    "esp32s2": (0x6003C000, 128, 1, 146, (0x3F4C0000, 0x44, 3, 0x4C, 3, ((0x4C, 1 << 4),), 0x68)),
    "esp32s3": (0x6003C000, 128, 1, 76, (0x600C0000, 0x1C, 3, 0x24, 3, ((0x24, 1 << 4),), 0x40)),
    "esp32c3": (0x6003C000, 96, 1, 76, (0x600C0000, 0x14, 3, 0x1C, 3, ((0x1C, 1 << 4),), 0x38)),
    "esp32c6": (0x6008A000, 96, 1, 40, (0x60096000, 0xD0, 0, 0xD0, 1, ((0xE0, 2),), 0xD4)),
    "esp32h2": (0x6008A000, 96, 1, 40, (0x60096000, 0xCC, 0, 0xCC, 1, ((0xDC, 2), (0xE4, 2)), 0xD0)),
    "esp32c5": (0x6008A000, 96, 1, 40, (0x60096000, 0xD4, 0, 0xD4, 1, ((0xE4, 2), (0xEC, 2)), 0xD8)),
    "esp32p4": (0x50092000, 128, 1, 40, (0x500E6000, 0xA8, 18, 0xC8, 21, ((0xC8, 1 << 14 | 1 << 17 | 1 << 20),), 0)),
}

# engine base, bytes of a parameter slot, how many slots, CONF bits: curve P-256, lowest of the work mode,
# constant time (0: there is no such option, or not in every revision), verified, clock always on; power
ECC = {
    "esp32c2": (0x6003E000, 32, 3, 2, 5, 0, 8, 4, (0x600C0000, 0x14, 6, 0x1C, 6, (), 0)),
    "esp32c6": (0x6008B000, 32, 3, 2, 5, 0, 8, 4, (0x60096000, 0xD8, 0, 0xD8, 1, (), 0xDC)),
    "esp32h2": (0x6008B000, 32, 6, 2, 4, 8, 29, 30, (0x60096000, 0xD4, 0, 0xD4, 1, ((0xE4, 2),), 0xD8)),
    "esp32c5": (0x6008B000, 48, 6, 2, 5, 9, 29, 30, (0x60096000, 0xDC, 0, 0xDC, 1, ((0xEC, 2),), 0xE0)),
    "esp32p4": (0x50093000, 32, 6, 2, 4, 0, 29, 30, (0x500E6000, 0xA8, 16, 0xC8, 22, ((0xC8, 1 << 14 | 1 << 20),), 0)),
}
