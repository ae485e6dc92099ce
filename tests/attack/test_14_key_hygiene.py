"""Keys stay where they belong, and go when their SA goes: however it ends, and whatever goes wrong on the way."""

from base64 import b64encode

import pytest

from tests.attack.attacker import Insider, chain, first_request, half_up, sealed, split, throw
from tests.handshake import Eavesdropper
from tests.ike.test_rekey import PFS, rekey_child, rekey_ike
from tests.world import CBC, World, connection
from uike import iana
from uike.ike import keys
from uike.wire.message import notify


class Vault(Eavesdropper):
    """Knows every secret there was, and which keepers of secrets have been wiped."""

    def __init__(self):
        super().__init__()
        self.alive = []

    def cipher(self, *arguments):
        return self._watch(super().cipher(*arguments))

    def key_exchange(self, group, random):
        def draw(n):
            self.secrets.append(random(n))
            return self.secrets[-1]

        return self._watch(super().key_exchange(group, draw))

    def _watch(self, keeper):
        wipe = keeper.wipe

        def wiped():
            wipe()
            self.alive = [each for each in self.alive if each is not keeper]

        keeper.wipe = wiped
        self.alive.append(keeper)
        return keeper


@pytest.fixture
def material(monkeypatch):
    """Every bytearray of keying material that was cut: SK_d, SK_a, SK_e, SK_p, KEYMAT."""
    cut, made = keys._parts, []

    def parts(whole, *sizes):
        found = cut(whole, *sizes)
        made.extend([whole, *found])
        return found

    monkeypatch.setattr(keys, "_parts", parts)
    return made


def world(board=(), gateway=(), **changes):
    vault = Vault()
    sides = [connection(True, **{**changes, **dict(board)}), connection(False, **{**changes, **dict(gateway)})]
    return World(*sides, provider=vault), vault


def closed(wire):
    wire.connect()
    wire.board.endpoint.close(None, wire.now)


def dead(wire):
    wire.connect()
    wire.filter = lambda sender, datagram, port: []


def replaced(wire):
    wire.connect()
    for step in (rekey_child, rekey_ike, rekey_child):
        for side in (wire.board, wire.gateway):
            step(side)
            wire.settle()
            wire.run(wire.now + 25_000)
    rekey_child(wire.board), rekey_child(wire.gateway)
    wire.settle()
    rekey_ike(wire.board), rekey_ike(wire.gateway)
    wire.settle()
    wire.run(wire.now + 25_000)
    wire.board.endpoint.close(None, wire.now)


def lost_power(wire):
    wire.connect()
    for sa in wire.board.endpoint.sas:
        wire.board.endpoint.forget(sa)
    closed(wire)


def nonsense(wire):
    wire.connect()
    throw(
        wire,
        wire.gateway,
        sealed(wire.board.sa, iana.INFORMATIONAL, False, wire.board.sa.send_id, iana.D, b"\0\0\0\5x"),
    )
    wire.settle()
    wire.board.endpoint.close(None, wire.now)


def dead_while(step):
    """The peer is lost in the middle of an exchange of the board's."""

    def act(wire):
        wire.connect()
        wire.filter = lambda sender, datagram, port: []
        step(wire.board)

    return act


def refused(step):
    """The peer will not have it, and the SA ends in time."""

    def act(wire):
        wire.connect()
        wire.gateway.sa.connection.proposals = wire.gateway.sa.connection.esp_proposals = (((1, 20, 256), (4, 14, 0)),)
        step(wire.board)
        wire.settle()
        assert len(wire.board.rejected()) == 1
        wire.board.endpoint.close(None, wire.now)

    return act


def ill_answered(wire):
    """The answer to a rekeying has a KE payload of no use."""

    def change(exchange, response, first, raw):
        if exchange != iana.CREATE_CHILD_SA:
            return None
        return [(first, chain([(kind, body[:9] if kind == iana.KE else body) for kind, body in split(first, raw)]))]

    wire.connect()
    Insider(wire, wire.gateway, change)
    rekey_child(wire.board)
    wire.settle()
    assert wire.board.rejected() == ["BAD_KE_PAYLOAD"]
    wire.board.endpoint.close(None, wire.now)


def a_bug(wire):
    wire.connect()

    def broken(*arguments):
        raise ValueError(f"SK_d is {wire.gateway.sa.sk_d.hex()}")

    wire.gateway.endpoint.follow = broken
    rekey_child(wire.board)


def no_memory(wire):
    wire.connect()

    def full(*arguments):
        raise MemoryError

    wire.gateway.endpoint.new_spi = full
    rekey_child(wire.board)


def init_lost(wire):
    wire.filter = lambda sender, datagram, port: []
    wire.connect()


def auth_lost(wire):
    wire.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    wire.connect()


BOTH = ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0), (4, 19, 0))
ENDS = {
    "closed": (closed, {}),
    "closed, with groups": (closed, {"esp_proposals": (PFS,)}),
    "the peer is dead": (dead, {}),
    "replaced": (replaced, {}),
    "replaced, with groups": (replaced, {"esp_proposals": (PFS,)}),
    "dead while a Child SA is replaced": (dead_while(rekey_child), {"esp_proposals": (PFS,)}),
    "dead while the IKE SA is replaced": (dead_while(rekey_ike), {}),
    "a Child SA is not replaced": (refused(rekey_child), {"esp_proposals": (PFS,)}),
    "the IKE SA is not replaced": (refused(rekey_ike), {}),
    "a Child SA is ill replaced": (ill_answered, {"esp_proposals": (PFS,)}),
    "INITIAL_CONTACT": (lost_power, {}),
    "nonsense under the keys": (nonsense, {}),
    "an error of ours": (a_bug, {}),
    "no memory": (no_memory, {}),
    "no answer": (init_lost, {}),
    "half open": (auth_lost, {}),
    "another key": (World.connect, {"board": {"psk": bytearray(b"not the same key as there")}}),
    "another identity": (World.connect, {"board": {"local_id": (2, b"stranger.example")}}),
    "another suite": (World.connect, {"board": {"proposals": (BOTH[:2] + ((3, 13, 0),) + BOTH[3:4],)}}),
    "another group": (closed, {"board": {"proposals": (BOTH,)}, "gateway": {"proposals": (BOTH[:3] + BOTH[4:],)}}),
    "no Child SA": (World.connect, {"board": {"esp_proposals": (((1, 20, 256), (5, 0, 0)),)}}),
}


def shown(secret):
    """The ways in which a secret could be read in a record or on a console."""
    yield secret
    yield secret.hex().encode()
    for shift in range(3):
        yield b64encode(bytes(shift) + secret)[4 if shift else 0 : -4]


@pytest.mark.parametrize("name", ENDS)
def test_every_end_wipes_every_key(name, material):
    act, changes = ENDS[name]
    wire, vault = world(**changes)
    act(wire)
    wire.settle()
    wire.run(wire.now + 400_000)
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas, name
    assert vault.alive == [], name
    assert not [each for each in material if any(each)], name
    # and nothing of them was ever told, nor sent in the clear
    public = {datagram for _, datagram, _ in wire.wire}
    traced = b"".join(body for side in (wire.board, wire.gateway) for _, _, body in side.log) + b"".join(public)
    nonces = {
        datagram for datagram in vault.secrets if len(datagram) == 64 and bytes(datagram[:32]) in traced
    }  # Ni | Nr
    secrets = {bytes(each) for each in vault.secrets if len(each) >= 16} - {bytes(each) for each in nonces}
    assert secrets
    for secret in secrets:
        for form in shown(secret):
            assert form not in traced, name
    errors = [body[7:] for side in (wire.board, wire.gateway) for body in side.said("DROP") if body[0] in (19, 99)]
    assert errors == {"an error of ours": [b"ValueError"], "no memory": [b""]}.get(name, [])


def test_only_what_is_needed_is_kept(material):
    """Of an SA that is up: the keys to make keys with and the ciphers. Not the exchange, the nonces, the first messages."""
    wire, vault = world()
    wire.connect()
    kept = [id(key) for side in (wire.board, wire.gateway) for key in (side.sa.sk_d, side.sa.sk_pi, side.sa.sk_pr)]
    assert sorted(id(each) for each in material if any(each)) == sorted(kept)
    assert len(vault.alive) == 8 and all(hasattr(each, "seal") for each in vault.alive)  # two SAs, two ways, two sides
    assert wire.board.sa.setup is None and wire.gateway.sa.setup is None


def test_a_public_value_is_used_once():
    """Half-open SAs have exchanges of their own, and end them before they answer."""
    wire, vault = world(cookie_threshold=9)
    publics = set()
    for number in range(1, 7):
        request = first_request(CBC, spi=number.to_bytes(8, "big"))
        throw(wire, wire.gateway, request, (f"198.51.100.{number}", 500), 500)
        ((answer, _, _),) = wire.gateway.endpoint.outgoing()
        publics.add(bytes(answer[28 + 48 + 8 : 28 + 48 + 40]))
        assert not [each for each in vault.alive if hasattr(each, "shared")]
    assert len(publics) == 6


def test_a_wiped_sa_takes_nothing():
    wire = half_up()
    sa = wire.gateway.sa
    data = sealed(wire.board.sa, iana.INFORMATIONAL, False, 1, 41, notify(iana.INITIAL_CONTACT)[1])
    wire.gateway.endpoint.forget(sa)
    assert (sa.seal, sa.open, sa.setup, sa.request, sa.last_response) == (None,) * 5
    throw(wire, wire.gateway, data)
    assert wire.gateway.dropped() == ["UNKNOWN_IKE_SPI"]
