"""Distinguished names: from text as strongSwan reads it, and compared as it compares them. Used for identities.

"C=DE, O=Example, CN=gw" or "/C=DE/O=Example/CN=gw": keywords in any case, blanks around a value do not
count, one attribute to each RDN in the order given, a separator at the end is let pass. A value is a PrintableString if
it can be one, else a UTF8String; e-mail addresses are IA5Strings. Names are equal if their RDNs are: the case of
letters does not count in PrintableStrings and e-mail addresses, nor anywhere else the type of string. In a pattern a
value of * stands for any.
"""

from uike import iana
from uike.pki.der import Der, build, build_sequence

_RDN_MAX = 20
_EMAIL = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"  # 1.2.840.113549.1.9.1
_PILOT = b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01"  # 0.9.2342.19200300.100.1

_KEYWORDS = {
    "c": b"\x55\x04\x06",
    "st": b"\x55\x04\x08",
    "l": b"\x55\x04\x07",
    "o": b"\x55\x04\x0a",
    "ou": b"\x55\x04\x0b",
    "cn": b"\x55\x04\x03",
    "sn": b"\x55\x04\x04",
    "serialnumber": b"\x55\x04\x05",
    "g": b"\x55\x04\x2a",
    "t": b"\x55\x04\x0c",
    "uid": _PILOT + b"\x01",
    "dc": _PILOT + b"\x19",
    "e": _EMAIL,
    "email": _EMAIL,
    "emailaddress": _EMAIL,
}


def _is_printable(data):
    for byte in data:
        if not (0x30 <= byte <= 0x39 or 0x41 <= byte & 0xDF <= 0x5A and byte < 0x80 or byte in b" '()+,-./:=?"):
            return False
    return True


def parse(text):
    """The Name of a text, DER. ValueError says what is wrong."""
    separator = ","
    if text.startswith("/"):
        separator, text = "/", text[1:]
    parts = text.split(separator)
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    sets = []
    for part in parts:
        word, equals, value = part.partition("=")
        oid = _KEYWORDS.get(word.strip().lower())
        if not equals or oid is None:
            raise ValueError("%s: not an attribute of a distinguished name" % (word.strip() or "nothing"))
        data = value.strip().encode()
        tag = iana.DER_PRINTABLE_STRING if _is_printable(data) else iana.DER_UTF8_STRING
        if oid == _EMAIL:
            tag = iana.DER_IA5_STRING
        sets.append(build(iana.DER_SET, build_sequence(build(iana.DER_OID, oid), build(tag, data))))
    if len(sets) > _RDN_MAX:
        raise ValueError("more than %d attributes" % _RDN_MAX)
    return build_sequence(*sets)


def attributes(data):
    """(object identifier, tag, value) of each attribute of a Name; `Refusal` for bad DER."""
    outer = Der(data)
    der = outer.enter()
    outer.done()
    while der.tag():
        several = der.enter(iana.DER_SET)
        while several.tag():
            inner = several.enter()
            oid = inner.oid()
            tag = inner.tag()
            yield oid, tag, bytes(inner.value())
            inner.done()


def match(pattern, data, wild=True):
    """Whether a Name is the one of a pattern, which may have values of * if it is `wild`."""
    if pattern == data:
        return True
    wanted, found = list(attributes(pattern)), list(attributes(data))
    if len(wanted) != len(found):
        return False
    for (oid, tag, value), (other_oid, other_tag, other) in zip(wanted, found):
        if oid != other_oid:
            return False
        if wild and value == b"*" or value == other:
            continue
        folds = tag == iana.DER_PRINTABLE_STRING or tag == iana.DER_IA5_STRING and oid == _EMAIL
        if not folds or tag != other_tag or value.lower() != other.lower():
            return False
    return True
