"""Negotiation of a Child SA: SA, TSi and TSr, and the keys that come of them (RFC 7296 sections 2.9, 2.17, 3.3)."""

from uike import event, iana, reason
from uike.ike import keys
from uike.wire import proposals, selectors
from uike.wire.address import pack
from uike.wire.refusal import Refusal

_ANY = selectors.make(0, 0, 65535, bytes(4), b"\xff\xff\xff\xff")
_SPI = 4


class Offer:
    """The initiator's half: what we ask for, and whether we can live with the answer."""

    def __init__(self, sa):
        self.sa = sa
        connection = sa.connection
        self.spi_in = sa.endpoint.new_spi()
        self.proposals = connection.esp_proposals
        own = [_ANY] if connection.virtual_ip else [selectors.host(pack(sa.local[0]))]
        self.local_ts = list(connection.local_ts) or own
        self.remote_ts = list(connection.remote_ts) or [selectors.host(pack(sa.remote[0]))]

    def payloads(self):
        """SAi2, TSi, TSr."""
        # no KE transform here: the first Child SA takes its keys from the IKE SA (section 1.2)
        offered = [_without_ke(proposal) for proposal in self.proposals]
        return [
            (iana.SA, proposals.build(offered, iana.PROTO_ESP, self.spi_in)),
            (iana.TSi, selectors.build(self.local_ts)),
            (iana.TSr, selectors.build(self.remote_ts)),
        ]

    def accept(self, response):
        """Reads SAr2, TSi, TSr and installs the Child SA; raises Refusal."""
        body, ts_i, ts_r = response.body(iana.SA), response.body(iana.TSi), response.body(iana.TSr)
        if body is None or ts_i is None or ts_r is None:
            raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
        skip = iana.KE_METHOD
        chosen = proposals.accepted(proposals.parse(body), self.proposals, iana.PROTO_ESP, _SPI, skip)
        if not chosen:
            raise Refusal(reason.PEER_CHOSE_UNOFFERED, iana.NO_PROPOSAL_CHOSEN)
        local_ts, remote_ts = selectors.parse(ts_i), selectors.parse(ts_r)
        narrower = selectors.within(local_ts, self.local_ts) and selectors.within(remote_ts, self.remote_ts)
        if not local_ts or not remote_ts or not narrower:
            raise Refusal(reason.TS_WIDENED_BY_PEER, iana.TS_UNACCEPTABLE)
        install(self.sa, self.spi_in, chosen[0], chosen[1], local_ts, remote_ts)


def answer(sa, request):
    """The responder's half: installs the Child SA and returns SAr2, TSi, TSr; raises Refusal."""
    connection = sa.connection
    offered = proposals.parse(request.body(iana.SA))
    chosen = proposals.choose(offered, connection.esp_proposals, iana.PROTO_ESP, _SPI, iana.KE_METHOD)
    if not chosen:
        if sa.endpoint.trace:
            body = proposals.build(connection.esp_proposals, iana.PROTO_ESP)
            sa.endpoint.trace(event.OFFER, sa.number, b"\x01" + body)
        raise Refusal(reason.NO_COMMON_ESP_PROPOSAL, iana.NO_PROPOSAL_CHOSEN)
    number, spi_out, transforms = chosen
    peer = sa.address or pack(sa.remote[0])
    remote_ts = selectors.narrow(
        selectors.parse(request.body(iana.TSi)),
        [selectors.host(peer)] if sa.address else connection.remote_ts or [selectors.host(peer)],
    )
    local_ts = selectors.narrow(
        selectors.parse(request.body(iana.TSr)), connection.local_ts or [selectors.host(pack(sa.local[0]))]
    )
    if not remote_ts or not local_ts:
        raise Refusal(reason.TS_REFUSED, iana.TS_UNACCEPTABLE)
    spi_in = sa.endpoint.new_spi()
    install(sa, spi_in, spi_out, transforms, local_ts, remote_ts)
    return [
        (iana.SA, proposals.build([transforms], iana.PROTO_ESP, spi_in, number)),
        (iana.TSi, selectors.build(remote_ts)),
        (iana.TSr, selectors.build(local_ts)),
    ]


def install(sa, spi_in, spi_out, transforms, local_ts, remote_ts):
    """Makes the keys and hands all to the data plane, through the endpoint."""
    seal, open = keys.child_ciphers(sa, transforms, sa.setup.nonce_i + sa.setup.nonce_r)
    sa.endpoint.child_up(sa, spi_in, spi_out, seal, open, local_ts, remote_ts)
    if sa.endpoint.trace:
        rows = bytes((len(transforms),)) + proposals.pack(transforms)
        ours = bytes((len(local_ts),)) + b"".join(local_ts)
        theirs = bytes((len(remote_ts),)) + b"".join(remote_ts)
        sa.endpoint.trace(event.CHILD_UP, sa.number, spi_in + spi_out + rows + ours + theirs)


def _without_ke(proposal):
    return [row for row in proposal if row[0] != iana.KE_METHOD]
