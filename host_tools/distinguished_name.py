"""Distinguished names and object identifiers as text: "C=DE, O=Example, CN=gw.example.org", "2.5.29.19".

Takes what the firmware's events carry, which may be cut off: what is left of it is shown, and then "...".
"""

_KEYWORDS = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.42": "G",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "E",
}
_CUT = "..."


def oid_text(data: bytes) -> str:
    """Dotted numbers of the bytes of an object identifier (X.690 section 8.19)."""
    numbers, value = [], 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            if not numbers:
                numbers.append(min(value // 40, 2))
                value -= 40 * numbers[0]
            numbers.append(value)
            value = 0
    return ".".join(str(number) for number in numbers)


def _elements(data: bytes):
    """(value, whether all of it is there) of each element."""
    while len(data) >= 2:
        size, start = data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start], "big")
        yield data[start : start + size], start + size <= len(data)
        data = data[start + size :]


def text(data: bytes) -> str:
    """A Name in DER, its attributes in their order."""
    shown, whole = [], False
    for rdns, whole in _elements(data):
        for rdn, _ in _elements(rdns):
            for attribute, _ in _elements(rdn):
                parts = [value for value, _ in _elements(attribute)]
                if parts:
                    value = parts[1].decode("utf-8", "replace") if len(parts) > 1 else ""
                    value = "".join(c if c.isprintable() else "?" for c in value)
                    shown.append(f"{_KEYWORDS.get(oid_text(parts[0]), oid_text(parts[0]))}={value}")
    return ", ".join(shown) + ("" if whole else _CUT)
