"""Negotiation of a Child SA: SA, [Ni, KEi,] TSi and TSr, and the keys of it (RFC 7296 sections 2.9, 2.17, 3.3).

The first Child SA comes with IKE_AUTH and takes its keys from the IKE SA; every other one has nonces and, for perfect
forward secrecy, a key exchange of its own (`uike.ike.create`).
"""

from uike import event, iana, reason
from uike.ike import ke, keys
from uike.transient import load
from uike.wire import proposals, selectors
from uike.wire.address import pack
from uike.wire.refusal import Refusal

_SPI = 4


class Offer:
    """The initiator's half: what we ask for, and whether we can live with the answer.

    `policy` has the selectors and proposals of the configuration; `old` is the Child SA that this one replaces;
    `own` tells that the Child SA gets nonces and keys of its own. `offered` is what we have asked for already: SPI,
    local and remote selectors."""

    def __init__(self, sa, policy, old=None, own=False, first=None, offered=None):
        self.sa = sa
        self.policy = policy
        self.spi_in = offered[0] if offered else sa.endpoint.new_spi()
        self.proposals = policy.esp_proposals
        self.nonce = sa.endpoint.random(ke.NONCE) if own else None
        self.lowest = None  # the lower nonce of the exchange
        self.exchange = None
        self.group = proposals.get(self.proposals[0], iana.KE_METHOD)[0] if own else 0
        if offered:
            self.local_ts, self.remote_ts = offered[1:]
        elif old:
            self.local_ts, self.remote_ts = old.local_ts, old.remote_ts
        else:
            self.local_ts, self.remote_ts = scope(sa, policy)
        self.first = first  # selectors of the packet that made us ask, ours and theirs (section 2.9)
        if first and sa.single_pair:
            self.first = None
            self.local_ts = selectors.single(first[0], self.local_ts)
            self.remote_ts = selectors.single(first[1], self.remote_ts)

    def payloads(self):
        """SA, [Ni, KEi,] TSi, TSr."""
        offered = self.proposals
        own = []
        if self.nonce:
            own.append((iana.NONCE, self.nonce))
            if self.group:
                endpoint = self.sa.endpoint
                self.exchange = self.sa.secret = endpoint.crypto.key_exchange(self.group, endpoint.random)
                own.append(ke.build(self.group, self.exchange))
        else:  # the first Child SA takes its keys from the IKE SA (section 1.2)
            offered = [_without_ke(proposal) for proposal in offered]
        ours, theirs = ([self.first[0]], [self.first[1]]) if self.first else ([], [])
        selected = [
            (iana.TSi, selectors.build(ours + list(self.local_ts))),
            (iana.TSr, selectors.build(theirs + list(self.remote_ts))),
        ]
        if self.policy.transport:
            selected += load("uike.ike.transport").WORDS
        return [(iana.SA, proposals.build(offered, iana.PROTO_ESP, self.spi_in))] + own + selected

    def change_group(self, wanted):
        """The responder wants another group (section 1.3); raises Refusal when we do not offer it."""
        group = wanted[0] << 8 | wanted[1] if len(wanted) == 2 else 0
        if group == self.group or not [1 for row in self.proposals if (iana.KE_METHOD, group, 0) in row]:
            raise Refusal(reason.GROUP_REFUSED, iana.INVALID_KE_PAYLOAD, wanted)
        self.forget()
        self.group = group

    def forget(self):
        """Wipes what is not needed any more."""
        if self.exchange:
            self.exchange.wipe()
            self.exchange = None

    def accept(self, response):
        """Reads SA, [Nr, KEr,] TSi, TSr and installs the Child SA, which it returns; raises Refusal."""
        body, ts_i, ts_r = response.body(iana.SA), response.body(iana.TSi), response.body(iana.TSr)
        if body is None or ts_i is None or ts_r is None:
            raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
        skip = 0 if self.nonce else iana.KE_METHOD
        chosen = proposals.accepted(proposals.parse(body), self.proposals, iana.PROTO_ESP, _SPI, skip)
        if not chosen:
            raise Refusal(reason.PEER_CHOSE_UNOFFERED, iana.NO_PROPOSAL_CHOSEN)
        local_ts, remote_ts = selectors.parse(ts_i), selectors.parse(ts_r)
        narrower = selectors.within(local_ts, self.local_ts) and selectors.within(remote_ts, self.remote_ts)
        if not local_ts or not remote_ts or not narrower:
            raise Refusal(reason.TS_WIDENED_BY_PEER, iana.TS_UNACCEPTABLE)
        seed = self._seed(response, chosen[1])
        child = install(self.sa, self.policy, seed, True, (self.spi_in, chosen[0]), chosen[1], local_ts, remote_ts)
        if self.policy.transport:
            load("uike.ike.transport").granted(child, response)
        return child

    def _seed(self, response, transforms):
        if not self.nonce:
            return self.sa.setup.nonce_i + self.sa.setup.nonce_r
        nonce = ke.read_nonce(response)
        self.lowest = min(nonce, self.nonce)
        if proposals.get(transforms, iana.KE_METHOD)[0] != self.group:
            raise Refusal(reason.BAD_KE_PAYLOAD, iana.INVALID_SYNTAX)
        if not self.group:
            return self.nonce + nonce
        return ke.agree(self.exchange, ke.read(response, self.group)) + self.nonce + nonce


def scope(sa, policy):
    """(local, remote) selectors that a policy allows on this IKE SA. The addresses that a configuration payload
    assigned stand for its client; without any, the endpoints of the SA are what is not configured."""
    here, there = [selectors.host(pack(sa.local[0]))], [selectors.host(pack(sa.remote[0]))]
    assigned = [selectors.host(address) for address in (sa.address, sa.address6) if address]
    if sa.connection.initiator and sa.connection.virtual_ip:
        here = assigned or selectors.families(policy.remote_ts)
    elif assigned:
        return list(policy.local_ts) or here, assigned
    return list(policy.local_ts) or here, list(policy.remote_ts) or there


def answer(sa, request, old=None, own=False):
    """The responder's half: installs the Child SA and returns (it, SA, [Nr, KEr,] TSi, TSr); raises Refusal.

    `old` is the Child SA to be replaced, `own` as in Offer."""
    offered = proposals.parse(request.body(iana.SA))
    ts_i, ts_r = selectors.parse(request.body(iana.TSi)), selectors.parse(request.body(iana.TSr))
    view = None
    if sa.connection.transport and request.notify(iana.USE_TRANSPORT_MODE) is not None:
        view = load("uike.ike.transport").View(sa, ts_i, ts_r)
        ts_i, ts_r = view.ts_i, view.ts_r
    policy, local_ts, remote_ts = _find_policy(sa, ts_i, ts_r, old)
    skip = 0 if own else iana.KE_METHOD
    chosen = proposals.choose(offered, policy.esp_proposals, iana.PROTO_ESP, _SPI, skip)
    if not chosen:
        if sa.endpoint.trace:
            body = proposals.build(policy.esp_proposals, iana.PROTO_ESP)
            sa.endpoint.trace(event.OFFER, sa.number, b"\x01" + body)
        raise Refusal(reason.NO_COMMON_ESP_PROPOSAL, iana.NO_PROPOSAL_CHOSEN)
    number, spi_out, transforms = chosen
    mine = []
    if own:
        nonce = sa.endpoint.random(ke.NONCE)
        mine.append((iana.NONCE, nonce))
        seed = ke.read_nonce(request) + nonce
        group = proposals.get(transforms, iana.KE_METHOD)[0]
        if group:
            theirs = ke.read(request, group)
            exchange = sa.endpoint.crypto.key_exchange(group, sa.endpoint.random)
            mine.append(ke.build(group, exchange))
            seed = ke.agree(exchange, theirs) + seed
    else:
        seed = sa.setup.nonce_i + sa.setup.nonce_r
    spi_in = sa.endpoint.new_spi()
    child = install(sa, policy, seed, False, (spi_in, spi_out), transforms, local_ts, remote_ts)
    payloads = [(iana.SA, proposals.build([transforms], iana.PROTO_ESP, spi_in, number))] + mine
    if view:
        words, remote_ts, local_ts = view.grant(child)
        payloads += words
    return child, payloads + [(iana.TSi, selectors.build(remote_ts)), (iana.TSr, selectors.build(local_ts))]


def _find_policy(sa, ts_i, ts_r, old):
    """(policy, local, remote): the first policy that takes the peer's first pair, which is the traffic that it has in
    hand; else the first that has something in common with what it asks for (section 2.9)."""
    found = None
    for policy in (old.policy,) if old else sa.connection.policies():
        ours, theirs = (old.local_ts, old.remote_ts) if old else scope(sa, policy)
        local_ts, remote_ts = selectors.narrow(ts_r, ours), selectors.narrow(ts_i, theirs)
        if local_ts and remote_ts:
            if selectors.within(ts_r[:1], ours) and selectors.within(ts_i[:1], theirs):
                return policy, local_ts, remote_ts
            found = found or (policy, local_ts, remote_ts)
    if not found:
        raise Refusal(reason.TS_REFUSED, iana.TS_UNACCEPTABLE)
    return found


def install(sa, policy, seed, initiator, spis, transforms, local_ts, remote_ts):
    """Makes the keys and hands all to the data plane, through the endpoint. `spis` are ours and the peer's."""
    seal, open = keys.child_ciphers(sa, transforms, seed, initiator)
    packed = proposals.pack(transforms)
    if sa.endpoint.trace:
        rows = bytes((len(transforms),)) + packed
        ours = bytes((len(local_ts),)) + b"".join(local_ts)
        theirs = bytes((len(remote_ts),)) + b"".join(remote_ts)
        sa.endpoint.trace(event.CHILD_UP, sa.number, spis[0] + spis[1] + rows + ours + theirs)
    child = sa.endpoint.child_up(sa, policy, spis, seal, open, local_ts, remote_ts)
    child.transforms, child.own = packed, load("uike.wire.own").own_address(sa, local_ts)
    return child


def _without_ke(proposal):
    return [row for row in proposal if row[0] != iana.KE_METHOD]
