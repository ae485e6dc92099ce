"""An EAP packet (RFC 3748 section 4), and what a bad one leads to. For both sides of `ike`, transient as they are.

code(1) identifier(1) length(2) [type(1) data]
"""

from uike import iana, reason
from uike.wire.refusal import Refusal

SIZE_MAX = 1024  # bytes of a packet


def parse(packet):
    """(code, identifier, type, data) of an EAP packet; type and data are 0 and empty for Success and Failure."""
    size = len(packet or b"")
    if not 4 <= size <= SIZE_MAX or packet[2] << 8 | packet[3] != size:
        raise refuse(reason.BAD_EAP)
    closing = packet[0] in (iana.EAP_SUCCESS, iana.EAP_FAILURE)
    if closing != (size == 4) or not iana.EAP_REQUEST <= packet[0] <= iana.EAP_FAILURE:
        raise refuse(reason.BAD_EAP)
    return packet[0], packet[1], 0 if closing else packet[4], packet[5:]


def build(code, number, kind=0, data=b""):
    """An EAP payload as (type, body)."""
    tail = bytes((kind,)) + data if kind else b""
    return iana.EAP, bytes((code, number)) + (4 + len(tail)).to_bytes(2, "big") + tail


def refuse(why, detail=b""):
    """The Refusal that ends an authentication."""
    return Refusal(why, iana.AUTHENTICATION_FAILED, detail)
