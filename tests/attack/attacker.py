"""Two attackers: `Insider` is a peer that has the keys and lies, `outsider` someone who can only throw datagrams."""

from tests.world import BOARD, GATEWAY, World, connection, seeded_random
from uike import event, iana
from uike.wire import proposals
from uike.wire.message import HEADER, build, chain_size, write_chain, write_header

MARKER = bytes(4)
STRANGER = ("198.51.100.66", 500)


def chain(payloads):
    """Raw bytes of a chain of (type, body)."""
    out = bytearray(chain_size(payloads))
    write_chain(out, 0, payloads)
    return bytes(out)


def split(first, raw):
    """(type, body) of every payload of a well-formed chain."""
    found, at = [], 0
    while first:
        size = int.from_bytes(raw[at + 2 : at + 4], "big")
        found.append((first, bytes(raw[at + 4 : at + size])))
        first, at = raw[at], at + size
    return found


def sealed(sa, exchange, response, message_id, first, raw):
    """An authentic message of `sa` with any plaintext: what its owner could send."""
    cipher = sa.seal
    padding = -(len(raw) + 1) % cipher.block_size
    end = HEADER + 4 + cipher.iv_size + len(raw) + padding + 1
    buffer = bytearray(end + cipher.icv_size)
    flags = (iana.FLAG_INITIATOR if sa.initiator else 0) | (iana.FLAG_RESPONSE if response else 0)
    write_header(buffer, sa.spi_i, sa.spi_r, iana.SK, exchange, flags, message_id, len(buffer))
    buffer[HEADER] = first
    buffer[HEADER + 2 : HEADER + 4] = (len(buffer) - HEADER).to_bytes(2, "big")
    start = HEADER + 4 + cipher.iv_size
    buffer[HEADER + 4 : start] = seeded_random((message_id, raw))(cipher.iv_size)
    buffer[start : start + len(raw)] = raw
    buffer[end - 1] = padding
    cipher.seal(buffer, HEADER + 4, end)
    return MARKER + bytes(buffer)


def sealed_esp(child, inner, kind=4, padding=None, sequence=None, tail=None):
    """An ESP packet of `child` with any plaintext; `tail` in the place of padding, Pad Length and Next Header."""
    cipher = child.seal
    start = 8 + cipher.iv_size
    size = -(len(inner) + 2) % max(cipher.block_size, 4) if padding is None else padding
    inner = bytes(inner) + (bytes(range(1, size + 1)) + bytes((size, kind)) if tail is None else tail)
    child.sequence = sequence if sequence is not None else child.sequence + 1
    out = bytearray(start) + inner + bytes(cipher.icv_size)
    out[:8] = child.spi_out + child.sequence.to_bytes(4, "big")
    out[8:start] = child.sequence.to_bytes(cipher.iv_size, "big")
    cipher.seal(out, 8, len(out) - cipher.icv_size)
    return bytes(out)


def opened(cipher, datagram):
    """(first payload type, raw chain) of a protected message."""
    buffer = bytearray(datagram[len(MARKER) :])
    end = len(buffer) - cipher.icv_size
    assert cipher.open(buffer, HEADER + 4, end)
    return buffer[HEADER], bytes(buffer[HEADER + 4 + cipher.iv_size : end - 1 - buffer[end - 1]])


class Insider:
    """The side `evil` of a World. `change(exchange, response, first, raw)` gives the (first, raw) chains that are sent
    in the place of one of its messages; None leaves it as it is."""

    def __init__(self, wire, evil, change=None):
        self.wire, self.evil, self.change = wire, evil, change
        self.target = wire.gateway if evil is wire.board else wire.board
        self.changed = 0
        wire.filter = self._filter

    def _filter(self, sender, datagram, port):
        if sender is not self.evil or not self.change:
            return [datagram]
        at = 4 if datagram[:4] == MARKER else 0
        if port == 4500 and not at:
            return [datagram]  # ESP
        head = datagram[at : at + HEADER]
        exchange, response = head[18], bool(head[19] & iana.FLAG_RESPONSE)
        message_id = int.from_bytes(head[20:24], "big")
        clear = exchange == iana.IKE_SA_INIT
        sa = next((sa for sa in sender.endpoint.sas if clear or sa.spi_i + sa.spi_r == head[:16]), None)
        if not clear and (sa is None or sa.seal is None or head[16] != iana.SK):
            return [datagram]  # its fragments too
        first, raw = (head[16], datagram[at + HEADER :]) if clear else opened(sa.seal, datagram)
        instead = self.change(exchange, response, first, raw)
        if instead is None:
            return [datagram]
        self.changed += 1
        out = []
        for first, raw in instead:
            if clear:
                buffer = bytearray(HEADER) + raw
                write_header(buffer, head[:8], head[8:16], first, exchange, head[19], message_id, len(buffer))
                out.append(bytes(at) + bytes(buffer))
            else:
                out.append(sealed(sa, exchange, response, message_id, first, raw))
        return out

    @property
    def sa(self):
        return self.evil.sa

    def say(self, exchange, first, raw, response=False, message_id=None):
        """Sends one authentic message; returns the datagrams that it caused."""
        if message_id is None:
            message_id = self.target.sa.send_id if response else self.target.sa.receive_id
        throw(self.wire, self.target, sealed(self.sa, exchange, response, message_id, first, raw))
        return [bytes(datagram) for datagram, _, _ in self.target.endpoint.outgoing()]

    def ask(self, exchange, payloads):
        """Sends a request; returns the payloads of the response, None when there is none."""
        first = payloads[0][0] if payloads else 0
        answers = self.say(exchange, first, chain(payloads))
        for answer in answers:
            if answer[:4] == MARKER and answer[23] & iana.FLAG_RESPONSE:
                return split(*opened(self.sa.open, answer))
        return None


def throw(wire, target, datagram, source=None, port=4500):
    """A datagram arrives at `target`, from its peer's address or from `source`."""
    peer = (BOARD if target is wire.gateway else GATEWAY, port)
    target.endpoint.receive(bytearray(datagram), (target.address, port), source or peer, wire.now)


def errors(payloads):
    """The notify types of all errors in a response."""
    found = [int.from_bytes(body[2:4], "big") for kind, body in payloads or [] if kind == iana.N]
    return [kind for kind in found if kind < 16384]


def up(**changes):
    """A tunnel between two honest sides."""
    wire = World(connection(True, **changes), connection(False, **changes)).connect()
    for side in (wire.board, wire.gateway):
        side.collect()
    return wire


def half_up(**changes):
    """The keys of IKE_SA_INIT on both sides, and nobody proved yet; IKE_AUTH is lost."""
    wire = World(connection(True, **changes), connection(False, **changes))
    wire.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    wire.connect()
    return wire


def works(wire):
    """Whether a packet goes both ways; and there was no error of ours."""
    from tests.ike.test_rekey import works as goes

    return bool(goes(wire)) and not wire.internal_errors()


def first_request(offer, group=31, public=None, nonce=bytes(range(32)), spi=b"attacker", extra=()):
    """An IKE_SA_INIT request by hand; `offer` is a body of an SA payload, or transforms."""
    if type(offer) is not bytes:
        offer = proposals.build([offer], iana.PROTO_IKE)
    public = b"\x09" + bytes(31) if public is None else public
    hashes = [
        (iana.N, bytes((0, 0)) + kind.to_bytes(2, "big") + bytes(20))
        for kind in (iana.NAT_DETECTION_SOURCE_IP, iana.NAT_DETECTION_DESTINATION_IP)
    ]
    body = [(iana.SA, offer), (iana.KE, group.to_bytes(2, "big") + bytes(2) + public), (iana.NONCE, nonce)]
    return bytes(build(spi, bytes(8), iana.IKE_SA_INIT, iana.FLAG_INITIATOR, 0, body + hashes + list(extra)))


def answer_to(wire, request):
    """Payloads of the gateway's answer to a first request, None when there is none."""
    throw(wire, wire.gateway, request, STRANGER, 500)
    out = wire.gateway.endpoint.outgoing()
    assert len(out) <= 1
    return split(out[0][0][16], bytes(out[0][0][HEADER:])) if out else None


def unproved(wire):
    """No SA is established without a proved peer, and no Child SA exists without an established one."""
    for side in (wire.board, wire.gateway):
        assert all(child.owner.peer_id for child in side.endpoint.sad.inbound.values())
        up = [sa for sa in side.endpoint.sas if sa.state == event.STATE_ESTABLISHED and not sa.quiet]  # not a rival
        assert all(sa.peer_id for sa in up)
    return True
