"""An IKE message: header and chain of payloads (RFC 7296 sections 3.1 and 3.2), parsed and built.

                     1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
|                       IKE SA Initiator's SPI (8)              |
|                       IKE SA Responder's SPI (8)              |
|  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
|                          Message ID                           |
|                            Length                             |

| Next Payload  |C|  RESERVED   |         Payload Length        |   before every payload
"""

import struct

from uike import iana, reason
from uike.wire.refusal import Refusal

HEADER = 28
_PAYLOADS_MAX = 40
_CRITICAL = 0x80

# Which payloads a message may carry: (exchange, is a response or None for either, exactly once, at most once). Every
# other known payload may come any number of times. A response that carries an error notify, asks for a cookie or
# redirects needs none of the first kind.
_RULES = (
    (iana.IKE_SA_INIT, None, (iana.SA, iana.KE, iana.NONCE), ()),
    (iana.IKE_AUTH, None, (), (iana.IDi, iana.IDr, iana.AUTH, iana.EAP, iana.SA, iana.TSi, iana.TSr, iana.CP)),
    (iana.CREATE_CHILD_SA, None, (iana.SA, iana.NONCE), (iana.KE, iana.TSi, iana.TSr)),
    (iana.INFORMATIONAL, None, (), (iana.CP,)),
)


class Message:
    """One message. `buffer` holds it (header first), `payloads` is a list of (type, body start, body end)."""

    def __init__(self, buffer):
        """Reads the header of `buffer`; raises Refusal for anything that is not a whole IKEv2 message."""
        if len(buffer) < HEADER:
            raise Refusal(reason.SHORT_DATAGRAM)
        if struct.unpack_from(">I", buffer, 24)[0] != len(buffer):
            raise Refusal(reason.LENGTH_MISMATCH)
        self.buffer = buffer
        self.spi_i = bytes(buffer[0:8])
        self.spi_r = bytes(buffer[8:16])
        self.first = buffer[16]
        self.major = buffer[17] >> 4
        self.exchange = buffer[18]
        self.response = bool(buffer[19] & iana.FLAG_RESPONSE)
        self.from_initiator = bool(buffer[19] & iana.FLAG_INITIATOR)
        self.id = struct.unpack_from(">I", buffer, 20)[0]
        self.payloads = ()
        self.authentic = False  # the ICV of its Encrypted payload was right
        self.local = self.remote = None  # (address, port), from the endpoint

    def read(self, first, start, end):
        """Walks the chain that begins with payload type `first` at `start`; sets `payloads`.

        Raises Refusal when a length is wrong, when an unknown payload is critical, or when the message table of
        RFC 7296 is not met."""
        self.payloads = _chain(self.buffer, first, start, end)
        self._check_table()

    def _check_table(self):
        for exchange, response, once, at_most_once in _RULES:
            if exchange == self.exchange and (response is None or response == self.response):
                break
        else:
            return
        relaxed = self.response and (
            self.error() is not None
            or exchange == iana.IKE_SA_INIT
            and (self.notify(iana.COOKIE) or self.notify(iana.REDIRECT))
        )
        for kind in once:
            count = self._count(kind)
            if count == 0 and not relaxed:
                raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
            if count > 1:
                raise Refusal(reason.PAYLOAD_REPEATED, iana.INVALID_SYNTAX)
        for kind in at_most_once:
            if self._count(kind) > 1:
                raise Refusal(reason.PAYLOAD_REPEATED, iana.INVALID_SYNTAX)

    def _count(self, kind):
        count = 0
        for payload in self.payloads:
            if payload[0] == kind:
                count += 1
        return count

    def body(self, kind):
        """Bytes of the first payload of that type, or None."""
        for payload in self.payloads:
            if payload[0] == kind:
                return bytes(self.buffer[payload[1] : payload[2]])
        return None

    def notify(self, kind):
        """Data of the first notify of that type, or None."""
        for notify, data in self.notifies():
            if notify == kind:
                return data
        return None

    def error(self):
        """(type, data) of the first error notify, or None."""
        for notify, data in self.notifies():
            if notify < iana.INITIAL_CONTACT:
                return notify, data
        return None

    def notifies(self):
        """Yields (notify message type, notification data).

        Protocol ID(1) SPI size(1) type(2) SPI data: RFC 7296 section 3.10."""
        buffer = self.buffer
        for kind, start, end in self.payloads:
            if kind == iana.N:
                data = bytes(buffer[start + 4 + buffer[start + 1] : end])
                yield struct.unpack_from(">H", buffer, start + 2)[0], data


def _chain(buffer, kind, at, end):
    payloads = []
    while kind != iana.NO_NEXT_PAYLOAD:
        if end - at < 4:
            raise Refusal(reason.PAYLOAD_LENGTH, iana.INVALID_SYNTAX)
        size = buffer[at + 2] << 8 | buffer[at + 3]
        if size < 4 or size > end - at:
            raise Refusal(reason.PAYLOAD_LENGTH, iana.INVALID_SYNTAX)
        known = iana.SA <= kind <= iana.EAP or kind == iana.SKF
        if known:
            if len(payloads) == _PAYLOADS_MAX:
                raise Refusal(reason.TOO_MANY_PAYLOADS, iana.INVALID_SYNTAX)
            if kind == iana.N and (size < 8 or size < 8 + buffer[at + 5]):
                raise Refusal(reason.BAD_NOTIFY_PAYLOAD, iana.INVALID_SYNTAX)
            payloads.append((kind, at + 4, at + size))
        elif buffer[at + 1] & _CRITICAL:
            raise Refusal(reason.UNKNOWN_CRITICAL_PAYLOAD, iana.UNSUPPORTED_CRITICAL_PAYLOAD, bytes((kind,)))
        kind = buffer[at]
        at += size
    if at != end:
        raise Refusal(reason.PAYLOAD_LENGTH, iana.INVALID_SYNTAX)
    return payloads


def chain_size(payloads):
    """Length in bytes of a chain of (type, body) payloads."""
    size = 0
    for payload in payloads:
        size += 4 + len(payload[1])
    return size


def write_chain(buffer, at, payloads):
    """Writes a chain of (type, body) payloads at `at`; returns where it ends."""
    for i in range(len(payloads)):
        body = payloads[i][1]
        size = 4 + len(body)
        following = payloads[i + 1][0] if i + 1 < len(payloads) else iana.NO_NEXT_PAYLOAD
        struct.pack_into(">BBH", buffer, at, following, 0, size)
        buffer[at + 4 : at + size] = body
        at += size
    return at


def write_header(buffer, spi_i, spi_r, first, exchange, flags, message_id, size):
    """Writes the 28 bytes of an IKE header at the start of `buffer`."""
    buffer[0:8] = spi_i
    buffer[8:16] = spi_r
    struct.pack_into(">BBBBII", buffer, 16, first, iana.VERSION, exchange, flags, message_id, size)


def build(spi_i, spi_r, exchange, flags, message_id, payloads):
    """A whole message in the clear: IKE_SA_INIT, and errors outside an SA."""
    buffer = bytearray(HEADER + chain_size(payloads))
    first = payloads[0][0] if payloads else iana.NO_NEXT_PAYLOAD
    write_header(buffer, spi_i, spi_r, first, exchange, flags, message_id, len(buffer))
    write_chain(buffer, HEADER, payloads)
    return buffer


def notify(kind, data=b"", protocol=iana.PROTO_NONE, spi=b""):
    """A Notify payload as (type, body): RFC 7296 section 3.10."""
    return iana.N, struct.pack(">BBH", protocol, len(spi), kind) + spi + data
