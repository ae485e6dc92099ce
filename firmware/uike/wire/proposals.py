"""The SA payload: proposals and transforms (RFC 7296 section 3.3), offered, parsed and chosen.

   | Last Substruc |   RESERVED    |         Proposal Length       |
   | Proposal Num  |  Protocol ID  |    SPI Size   |Num  Transforms|   SPI, transforms

   | Last Substruc |   RESERVED    |        Transform Length       |
   |Transform Type |   RESERVED    |          Transform ID         |   attributes

A transform here is (type, id, key bits or 0), a proposal a tuple of them. Used by the exchanges, then dropped.
"""

import struct

from uike import iana, reason
from uike.wire.refusal import Refusal

_KEY_LENGTH_TV = 0x8000 | iana.KEY_LENGTH
_PROPOSALS_MAX = 32
_TRANSFORMS_MAX = 128


def build(proposals, protocol, spi=b"", number=1):
    """Body of an SA payload. `proposals` are numbered from `number` on."""
    out = b""
    for i in range(len(proposals)):
        transforms = b""
        for j in range(len(proposals[i])):
            kind, ident, bits = proposals[i][j]
            more = 3 if j + 1 < len(proposals[i]) else 0
            transforms += struct.pack(">BBHBBH", more, 0, 12 if bits else 8, kind, 0, ident)
            if bits:
                transforms += struct.pack(">HH", _KEY_LENGTH_TV, bits)
        more = 2 if i + 1 < len(proposals) else 0
        size = 8 + len(spi) + len(transforms)
        out += struct.pack(">BBHBBBB", more, 0, size, number + i, protocol, len(spi), len(proposals[i]))
        out += spi + transforms
    return out


def parse(body):
    """Proposals of an SA payload: list of (number, protocol, SPI, transforms). Raises Refusal.

    A transform with an attribute that we do not know is left out, as if it had not been offered (section 3.3.6)."""
    found = []
    at = 0
    last = False
    while at < len(body):
        if last or len(body) - at < 8 or len(found) == _PROPOSALS_MAX:
            raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
        more, _, size, number, protocol, spi_size, count = struct.unpack_from(">BBHBBBB", body, at)
        if size < 8 + spi_size or size > len(body) - at or more not in (0, 2):
            raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
        spi = body[at + 8 : at + 8 + spi_size]
        found.append((number, protocol, spi, _transforms(body, at + 8 + spi_size, at + size, count)))
        last = more == 0
        at += size
    if not last:
        raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
    return found


def _transforms(body, at, end, count):
    found = []
    if count > _TRANSFORMS_MAX:
        raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
    for left in range(count, 0, -1):
        if end - at < 8:
            raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
        more, _, size, kind, _, ident = struct.unpack_from(">BBHBBH", body, at)
        if size < 8 or size > end - at or more != (3 if left > 1 else 0):
            raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
        bits = _key_bits(body, at + 8, at + size)
        if bits is not None:
            found.append((kind, ident, bits))
        at += size
    if at != end:
        raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
    return found


def _key_bits(body, at, end):
    """Key length in bits, 0 when there is no attribute, None when there is one that we do not know."""
    bits = 0
    while at < end:
        if end - at < 4:
            raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
        kind, value = struct.unpack_from(">HH", body, at)
        at += 4
        if not kind & 0x8000:  # type, length, value: none of these is known
            at += value
            bits = None
            if at > end:
                raise Refusal(reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)
        elif kind == _KEY_LENGTH_TV and bits == 0 and value:
            bits = value
        else:
            bits = None
    return bits


def choose(offered, configured, protocol, spi_size, skip=0):
    """First of our `configured` proposals that one of the `offered` ones meets; ours come first.

    `skip` leaves out one transform type (the KE method, in the first Child SA). Returns (number, SPI, transforms) with
    one transform a type, or None."""
    for ours in configured:
        for number, offered_protocol, spi, theirs in offered:
            if offered_protocol == protocol and len(spi) == spi_size:
                transforms = _match(ours, theirs, skip)
                if transforms:
                    return number, spi, transforms
    return None


def accepted(answer, offered, protocol, spi_size, skip=0):
    """What the responder chose of what we `offered`: (SPI, transforms), or None if that was not ours to choose.

    It must be one proposal, with the number of ours that it was made from, and one transform a type."""
    if len(answer) != 1 or not 1 <= answer[0][0] <= len(offered):
        return None
    number = answer[0][0]
    chosen = choose(answer, offered[number - 1 : number], protocol, spi_size, skip)
    if not chosen or len(chosen[2]) != len([row for row in answer[0][3] if not _is_none(row)]):
        return None
    return chosen[1], chosen[2]


def _match(ours, theirs, skip):
    """One transform of each type that both name, or None. A type that only one of them names is a mismatch."""
    chosen = []
    skip = skip or -1  # 0 stands for none, and is a type that a peer can send
    for transform in ours:
        kind = transform[0]
        if kind != skip and transform in theirs and not _has(chosen, kind):
            chosen.append(transform)
    for transform in ours:
        if transform[0] != skip and not _has(chosen, transform[0]):
            return None
    for transform in theirs:
        if transform[0] != skip and not _has(chosen, transform[0]) and not _optional(theirs, transform[0]):
            return None
    return tuple(chosen)


def _has(transforms, kind):
    for transform in transforms:
        if transform[0] == kind:
            return True
    return False


def _is_none(transform):
    """INTEG NONE (with an AEAD) and KE NONE say the same as leaving the type out (RFC 7296 section 3.3)."""
    return transform[0] in (iana.INTEG, iana.KE_METHOD) and transform[1] == 0


def _optional(transforms, kind):
    for transform in transforms:
        if transform[0] == kind and _is_none(transform):
            return True
    return False


def get(transforms, kind):
    """(id, key bits) of the transform of that type; (0, 0) when there is none."""
    for transform in transforms:
        if transform[0] == kind:
            return transform[1], transform[2]
    return 0, 0


def pack(transforms):
    """Transforms as the trace carries them: type(1) id(2) key bits(2) each."""
    return b"".join([struct.pack(">BHH", kind, ident, bits) for kind, ident, bits in transforms])
