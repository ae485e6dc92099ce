"""DER, the one form of ASN.1 that signatures are made over (X.690 section 10). Used by everything in this package.

A `Der` walks through elements without copying: values are views of one buffer. It takes DER alone: definite lengths in
their shortest form, tags of one byte, shortest integers, TRUE as 0xFF. The depth is that of the code that calls
`enter`, for nothing recurses. Whatever is wrong is a `Refusal` with `reason.BAD_DER`, its data the offset (2 bytes).
"""

from uike import iana, reason
from uike.wire.refusal import Refusal

_SIZE_MAX = 65_535  # bytes of an element: more than we could keep


class Der:
    """The elements in data[at:end], one after the other. `data` is bytes, a bytearray or a memoryview."""

    def __init__(self, data, at=0, end=None):
        self.data = data if isinstance(data, memoryview) else memoryview(data)
        self.at = at
        self.end = len(data) if end is None else end

    def fail(self):
        raise Refusal(reason.BAD_DER, iana.AUTHENTICATION_FAILED, min(self.at, _SIZE_MAX).to_bytes(2, "big"))

    def tag(self):
        """Tag of the next element; 0 at the end."""
        return self.data[self.at] if self.at < self.end else 0

    def done(self):
        """Nothing may be left."""
        if self.at != self.end:
            self.fail()

    def _head(self, tag):
        """(start, end) of the value of the next element, which must have that tag (None: any)."""
        data, at = self.data, self.at
        if at + 2 > self.end or tag is not None and data[at] != tag or data[at] & 31 == 31 or not data[at]:
            self.fail()
        size, start = data[at + 1], at + 2
        if size >= 0x80:
            count = size & 0x7F
            start += count
            if not 0 < count <= 2 or start > self.end:
                self.fail()
            size = data[at + 2] << 8 | data[at + 3] if count == 2 else data[at + 2]
            if size < (0x80 if count == 1 else 0x100):
                self.fail()
        if start + size > self.end:
            self.fail()
        return start, start + size

    def value(self, tag=None):
        """The value of the next element, a view."""
        start, end = self._head(tag)
        self.at = end
        return self.data[start:end]

    def whole(self, tag=None):
        """The next element with its tag and length, a view."""
        at = self.at
        self.at = self._head(tag)[1]
        return self.data[at : self.at]

    def enter(self, tag=iana.DER_SEQUENCE):
        """A `Der` of what is inside of the next element."""
        start, end = self._head(tag)
        self.at = end
        return Der(self.data, start, end)

    def optional(self, tag):
        """A `Der` of what is inside of the next element if it has that tag, else None."""
        return self.enter(tag) if self.tag() == tag else None

    def integer(self, tag=iana.DER_INTEGER):
        """The bytes of an integer, a view: two's complement, as short as can be."""
        value = self.value(tag)
        if not len(value) or len(value) > 1 and value[0] in (0, 0xFF) and (value[0] ^ value[1]) < 0x80:
            self.fail()
        return value

    def natural(self):
        """The bytes of an integer that is not negative, without leading zeros: none for 0."""
        value = self.integer()
        if value[0] & 0x80:
            self.fail()
        return value if value[0] else value[1:]

    def small(self):
        """An integer from 0 to 2**24 - 1."""
        value = self.natural()
        if len(value) > 3:
            self.fail()
        return int.from_bytes(value, "big")

    def boolean(self):
        value = self.value(iana.DER_BOOLEAN)
        if len(value) != 1 or value[0] not in (0, 0xFF):
            self.fail()
        return value[0] == 0xFF

    def oid(self):
        """The bytes of an object identifier."""
        value = self.value(iana.DER_OID)
        first = True
        for byte in value:
            if first and byte == 0x80:
                self.fail()
            first = byte < 0x80
        if not len(value) or not first:
            self.fail()
        return bytes(value)

    def bits(self):
        """(bytes of a bit string, a view, and how many bits of the last one are unused)."""
        value = self.value(iana.DER_BIT_STRING)
        if not len(value):
            self.fail()
        unused = value[0]
        if unused > 7 or unused and (len(value) < 2 or value[-1] & (1 << unused) - 1):
            self.fail()
        return value[1:], unused

    def octets(self):
        """The bytes of a bit string of whole bytes, a view."""
        value, unused = self.bits()
        if unused:
            self.fail()
        return value

    def time(self):
        """Seconds since 1970 of a UTCTime (1950 to 2049) or GeneralizedTime, both to the second and in UTC (RFC 5280
        section 4.1.2.5)."""
        long = self.tag() == iana.DER_GENERALIZED_TIME
        text = self.value(iana.DER_GENERALIZED_TIME if long else iana.DER_UTC_TIME)
        size = 15 if long else 13
        if len(text) != size or text[size - 1] != 0x5A:
            self.fail()
        digits = []
        for i in range(0, size - 1, 2):
            if not (0x30 <= text[i] <= 0x39 and 0x30 <= text[i + 1] <= 0x39):
                self.fail()
            digits.append((text[i] - 0x30) * 10 + text[i + 1] - 0x30)
        year = digits.pop(0) * 100 + digits.pop(0) if long else digits.pop(0)
        if not long:
            year += 1900 if year >= 50 else 2000
        month, day, hour, minute, second = digits
        leap = 1 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 0
        if not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
            self.fail()
        if not 1 <= day <= 30 + (month + month // 8) % 2 - (2 - leap if month == 2 else 0):
            self.fail()
        return ((_days(year, month) + day) * 24 + hour) * 3600 + minute * 60 + second


def _days(year, month):
    """Days from 1970-01-01 to the day before the first of a month; years are counted from March."""
    if month < 3:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 - 719469


def build(tag, *parts):
    """An element whose value is the parts, one after the other."""
    value = b"".join([bytes(part) for part in parts])
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    if size < 0x100:
        return bytes((tag, 0x81, size)) + value
    if size > _SIZE_MAX:
        raise ValueError("length")
    return bytes((tag, 0x82, size >> 8, size & 255)) + value


def build_sequence(*parts):
    return build(iana.DER_SEQUENCE, *parts)


def build_natural(data):
    """An INTEGER of the big-endian bytes of a number, with or without leading zeros."""
    data = bytes(data).lstrip(b"\0")
    return build(iana.DER_INTEGER, b"\0" if not data or data[0] & 0x80 else b"", data)


def build_bits(data):
    """A BIT STRING of whole bytes."""
    return build(iana.DER_BIT_STRING, b"\0", data)
