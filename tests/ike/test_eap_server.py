"""EAP of the responder: our initiator against it, and peers that play by other rules."""

import base64
import hashlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attack.attacker import Insider, chain, split
from tests.world import World, connection, seeded_random
from uike import config, iana, reason
from uike.eap import mschapv2, packet
from uike.hal.cpython.crypto import Provider
from uike.ike import eap_server
from uike.wire.refusal import Refusal

PASSWORD = b"correct horse"
USERS = ((b"alice", b"another"), (b"carol", PASSWORD))


def world(theirs=(), **ours):
    """A board that has a password, and a gateway that asks for it."""
    board = connection(True, eap_password=PASSWORD)
    gateway = connection(False)
    for made, changes in ((board, {"eap_id": b"carol", **ours}), (gateway, {"eap_users": USERS, **dict(theirs)})):
        for name, value in changes.items():
            setattr(made, name, value)
    return World(board, gateway)


def closed(wire):
    """(reason, detail) of the gateway's verdict, and the board's reason."""
    assert not wire.internal_errors() and not wire.gateway.said("ESTABLISHED")
    assert not wire.gateway.endpoint.sad.inbound and not wire.gateway.endpoint.leases
    (body,) = wire.gateway.said("CLOSED")
    secrets = [body for side in (wire.board, wire.gateway) for _, _, body in side.log if PASSWORD in body]
    assert not secrets
    return wire.gateway.closed()[0], body[9:], wire.board.closed()


# -- our initiator ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("methods", [(26,), (4,), (4, 26), (26, 4)])
def test_a_tunnel(methods):
    wire = world({"eap_methods": methods}).connect()
    assert wire.board.said("CHILD_UP") and wire.gateway.said("CHILD_UP") and not wire.internal_errors()
    assert wire.gateway.sa.peer_id == (iana.ID_FQDN, b"carol") and wire.board.sa.peer_id == (2, b"gw.example")
    assert wire.board.sa.address and wire.gateway.sa.answering is None and wire.gateway.sa.setup is None
    assert not wire.gateway.dropped() and not wire.board.dropped() and not wire.gateway.rejected()
    assert not [body for side in (wire.board, wire.gateway) for _, _, body in side.log if PASSWORD in body]


def test_a_nak_leads_to_the_method_that_the_peer_takes():
    wire = world(eap_methods=(4,)).connect()
    assert wire.gateway.said("ESTABLISHED") and wire.board.said("ESTABLISHED")


def test_no_method_in_common():
    wire = world({"eap_methods": (26,)}, eap_methods=(4,)).connect()
    assert closed(wire) == ("EAP_METHODS_REFUSED_BY_PEER", b"\x04", ["EAP_METHOD_REFUSED"])


@pytest.mark.parametrize("method", [26, 4])
def test_a_name_that_nobody_has_looks_like_a_wrong_password(method):
    wires = [
        world({"eap_methods": (method,)}, eap_password=b"wrong horse").connect(),
        world({"eap_methods": (method,)}, eap_id=b"david").connect(),
    ]
    assert closed(wires[0]) == ("EAP_WRONG_PASSWORD", b"carol", ["EAP_FAILED"])
    assert closed(wires[1]) == ("EAP_UNKNOWN_USER", b"david", ["EAP_FAILED"])
    seen = [[(sender, len(data), port) for sender, data, port in wire.wire] for wire in wires]
    assert seen[0] == seen[1] and len(seen[0]) == (12 if method == 26 else 10)  # and a Delete


def test_it_is_half_open_until_its_end():
    wire = world()
    wire.filter = lambda sender, data, port: [] if sender is wire.board and data[24:28] == b"\0\0\0\3" else [data]
    wire.connect()
    sa = wire.gateway.sa
    assert sa.answering and sa.setup and sa.expires_at == 30_000 and not wire.gateway.said("ESTABLISHED")
    wire.run(40_000)
    assert wire.gateway.closed() == ["HALF_OPEN_TIMEOUT"] and not wire.gateway.endpoint.sas


def test_a_lost_response_is_sent_again():
    wire, lost = world(), []

    def once(sender, data, port):
        key = data[24:28]
        if sender is wire.gateway and port == 4500 and key not in lost and data[:4] == bytes(4):
            lost.append(key)
            return []
        return [data]

    wire.filter = once
    wire.connect().run(60_000)
    assert len(lost) >= 5 and wire.board.said("CHILD_UP") and wire.gateway.said("CHILD_UP")


def test_one_user_is_one_peer():
    """Not the identity of IKE, which anybody may say."""
    wire = world({"remote_id": None}).connect()
    address = wire.gateway.sa.address
    wire.board.endpoint.sas.clear()
    wire.board.endpoint.connections[0].local_id = (2, b"elsewhere.example")
    wire.connect()
    assert wire.gateway.closed() == ["REPLACED"] and wire.gateway.sa.address == address


# -- others ----------------------------------------------------------------------------------------------------------


def changed(change, **theirs):
    """The verdict on a peer each of whose IKE_AUTH messages is what `change(number, payloads)` makes of it."""
    wire, count = world(theirs), []

    def instead(exchange, response, first, raw):
        if exchange != iana.IKE_AUTH:
            return None
        count.append(1)
        payloads = change(len(count), split(first, raw))
        return [(payloads[0][0], chain(payloads))]

    Insider(wire, wire.board, instead)
    wire.connect()
    return closed(wire)


def without(payloads, *kinds):
    return [row for row in payloads if row[0] not in kinds]


@pytest.mark.parametrize("method", [1, 2, 14])
def test_no_auth_payload_in_the_first_request(method):
    """Of a gateway without a key for others, an empty one must not do."""

    def change(number, payloads):
        return [*payloads, (iana.AUTH, bytes((method, 0, 0, 0)) + bytes(32))]

    verdict = ("AUTH_METHOD_REFUSED", bytes((method,)), ["PEER_SAID_AUTH_FAILED"])
    assert changed(change, psk=bytearray()) == verdict == changed(change)


def test_auth_before_success():
    def change(number, payloads):
        return payloads if number != 3 else [(iana.AUTH, bytes((2, 0, 0, 0)) + bytes(32))]

    def beside(number, payloads):
        return payloads if number != 3 else [*payloads, (iana.AUTH, bytes((2, 0, 0, 0)) + bytes(32))]

    assert changed(change) == changed(beside) == ("BAD_EAP", b"", ["EAP_FAILED"])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda body: [(iana.AUTH, body[:-1] + bytes((body[-1] ^ 1,)))], "EAP_KEY_DIFFERS"),
        (lambda body: [(iana.AUTH, b"\x0e" + body[1:])], "EAP_KEY_DIFFERS"),
        (lambda body: [(iana.AUTH, body[:4])], "EAP_KEY_DIFFERS"),
        (lambda body: [(iana.AUTH, b"")], "EAP_KEY_DIFFERS"),
        (lambda body: [packet.build(2, 4, iana.EAP_IDENTITY, b"carol")], "PAYLOAD_MISSING"),
    ],
)
def test_the_last_auth_payload(make, why):
    said = changed(lambda number, payloads: payloads if number != 5 else make(payloads[0][1]))
    assert said[0] == why and len(said[2]) == 1


def test_without_an_identity():
    assert changed(lambda number, payloads: without(payloads, iana.IDi))[0] == "PAYLOAD_MISSING"


@pytest.mark.parametrize("number", [1, 4])
def test_other_exchanges_have_to_wait(number):
    """Between two rounds, and between success and the last AUTH payload."""
    wire = world()
    key = bytes((0, 0, 0, number + 1))
    wire.filter = lambda sender, data, port: [] if sender is wire.board and data[24:28] == key else [data]
    wire.connect()
    evil = Insider(wire, wire.board)
    answer = evil.ask(iana.CREATE_CHILD_SA, [(iana.NONCE, bytes(16)), (iana.SA, b"")])
    assert answer[0][0] in (iana.N, iana.EAP) and wire.gateway.closed() in (["WRONG_EXCHANGE"], ["PAYLOAD_LENGTH"])
    assert not wire.internal_errors() and not wire.gateway.said("ESTABLISHED")


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ((iana.D, b"\x01\0\0\0"), "DELETED_BY_PEER"),
        ((iana.N, b"\0\0\0\x18"), "PEER_SAID_AUTH_FAILED"),
        ((iana.N, b"\0\0\x40\0"), "WRONG_EXCHANGE"),
    ],
)
def test_a_peer_that_leaves(number, payload, why):
    wire = world()
    key = bytes((0, 0, 0, number + 1))
    wire.filter = lambda sender, data, port: [] if sender is wire.board and data[24:28] == key else [data]
    wire.connect()
    answer = Insider(wire, wire.board).ask(iana.INFORMATIONAL, [payload])
    assert answer == ([] if why != "WRONG_EXCHANGE" else [(iana.N, b"\0\0\0\x07")])
    assert wire.gateway.closed() == [why] and not wire.internal_errors()


@pytest.mark.parametrize("payload", [(iana.N, b"\0\0\0\x18"), (iana.D, b"\x01\0\0\0"), (iana.NONCE, bytes(16))])
def test_a_peer_that_leaves_over_its_wrong_password(payload):
    """The verdict is of the password, and not that the peer went."""
    wire = world(eap_password=b"wrong horse")
    wire.filter = lambda sender, data, port: [] if data[24:28] == b"\0\0\0\4" else [data]
    wire.connect()
    assert Insider(wire, wire.board).ask(iana.INFORMATIONAL, [payload]) == []
    assert closed(wire) == ("EAP_WRONG_PASSWORD", b"carol", [])


# -- packet by packet ------------------------------------------------------------------------------------------------


class Heard:
    """A request with an EAP payload and nothing else."""

    exchange = iana.IKE_AUTH

    def __init__(self, body):
        self._body = body

    def body(self, kind):
        return self._body if kind == iana.EAP else None


class Server:
    """The rounds, one packet at a time."""

    def __init__(self, methods=(26, 4)):
        made = SimpleNamespace(eap_users=USERS, eap_methods=methods)
        endpoint = SimpleNamespace(crypto=Provider(), random=seeded_random("server"))
        self.talk = eap_server._Talk()
        self.task = self.talk.converse(SimpleNamespace(connection=made, endpoint=endpoint), [])
        self.asked = next(self.task)

    def said(self):
        """(identifier, type, data) of the newest request."""
        ((kind, body),) = self.asked
        code, *rest = packet.parse(body)
        assert kind == iana.EAP and code == iana.EAP_REQUEST
        return tuple(rest)

    def hear(self, kind, data, number=None, code=iana.EAP_RESPONSE):
        number = self.talk.number if number is None else number
        self.raw(packet.build(code, number, kind, data)[1])
        return self.said()

    def raw(self, body):
        self.asked = self.task.send(Heard(body))

    def end(self, *arguments, **more):
        """(user, key), or the reason."""
        with pytest.raises((StopIteration, Refusal)) as caught:
            self.hear(*arguments, **more)
        return caught.value.reason if caught.type is Refusal else caught.value.value


def begun(user=b"carol"):
    server = Server()
    return server, server.hear(iana.EAP_IDENTITY, user)


def respond(asked, user=b"carol", password=PASSWORD, peers=bytes(16)):
    """What a peer of MS-CHAPv2 answers to a challenge."""
    _, kind, data = asked
    assert kind == iana.EAP_MSCHAPV2 and data[0] == 1 and data[2:4] == len(data).to_bytes(2, "big") and data[4] == 16
    made = mschapv2.nt_response(Provider().sha1, mschapv2.password_hash(password), data[5:21], peers, user)
    body = b"\x31" + peers + bytes(8) + made + b"\0" + user
    return bytes((2, data[1])) + (4 + len(body)).to_bytes(2, "big") + body


def test_mschapv2():
    server, asked = begun()
    response = respond(asked)
    number, kind, data = server.hear(iana.EAP_MSCHAPV2, response)
    sha1, hashed = Provider().sha1, mschapv2.password_hash(PASSWORD)
    proof = mschapv2.authenticator(sha1, hashed, response[29:53], asked[2][5:21], bytes(16), b"carol")
    assert (number, kind) == (3, iana.EAP_MSCHAPV2) and data == b"\x03\x02\x00\x33" + proof + b" M=OK"
    assert server.end(iana.EAP_MSCHAPV2, b"\x03") == (b"carol", mschapv2.session_key(sha1, hashed, response[29:53]))


def test_md5():
    server = Server((4,))
    number, kind, data = server.hear(iana.EAP_IDENTITY, b"carol")
    assert kind == iana.EAP_MD5 and data[0] == 16 == len(data[1:])
    digest = hashlib.md5(bytes((number,)) + PASSWORD + data[1:]).digest()
    assert server.end(iana.EAP_MD5, b"\x10" + digest + b"carol") == (b"carol", None)


@pytest.mark.parametrize("last", [b"\x04", b"", b"\x03\0", b"\x02"])
def test_success_is_not_skipped(last):
    server, asked = begun()
    server.hear(iana.EAP_MSCHAPV2, respond(asked))
    assert server.end(iana.EAP_MSCHAPV2, last) == reason.BAD_EAP


@pytest.mark.parametrize("last", [b"\x04", b"\x03", b""])
def test_a_wrong_password_stays_one(last):
    server, asked = begun()
    _, kind, data = server.hear(iana.EAP_MSCHAPV2, respond(asked, password=b"wrong horse"))
    challenge = asked[2][5:21].hex().upper().encode()
    assert kind == iana.EAP_MSCHAPV2 and data[0] == 4 and data[4:] == b"E=691 R=0 C=" + challenge + b" V=3 M=no"
    assert server.end(iana.EAP_MSCHAPV2, last) == reason.EAP_WRONG_PASSWORD


def test_the_password_of_another_user_does_not_do():
    server, asked = begun()
    assert server.hear(iana.EAP_MSCHAPV2, respond(asked, b"alice", b"another"))[2][0] == 4
    server, asked = begun()
    assert server.hear(iana.EAP_MSCHAPV2, respond(asked, b"alice", PASSWORD))[2][0] == 4
    assert server.end(iana.EAP_MSCHAPV2, b"\x04") == reason.EAP_WRONG_PASSWORD


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:53],
        lambda data: b"",
        lambda data: b"\x03",
        lambda data: data[:1] + bytes((data[1] ^ 1,)) + data[2:],
        lambda data: data[:4] + b"\x30" + data[5:],
    ],
)
def test_a_malformed_response(change):
    server, asked = begun()
    assert server.end(iana.EAP_MSCHAPV2, change(respond(asked))) == reason.BAD_EAP
    assert Server((4,)).hear(iana.EAP_IDENTITY, b"carol")[1] == iana.EAP_MD5


@pytest.mark.parametrize("data", [b"", b"\x10", b"\x10" + bytes(15), b"\x0f" + bytes(16)])
def test_a_malformed_digest(data):
    server = Server((4,))
    server.hear(iana.EAP_IDENTITY, b"carol")
    assert server.end(iana.EAP_MD5, data) == reason.BAD_EAP


def test_names_have_a_size():
    assert Server().hear(iana.EAP_IDENTITY, bytes(eap_server.USER_MAX))[1] == iana.EAP_MSCHAPV2
    assert Server().end(iana.EAP_IDENTITY, bytes(eap_server.USER_MAX + 1)) == reason.BAD_EAP
    assert Server().end(iana.EAP_IDENTITY, b"") == reason.BAD_EAP
    assert Server().end(iana.EAP_NAK, b"\x04") == reason.BAD_EAP


def test_packets_have_a_size():
    server, _ = begun()
    assert server.hear(iana.EAP_NAK, bytes(packet.SIZE_MAX - 6) + b"\x04")[1] == iana.EAP_MD5
    server, _ = begun()
    assert server.end(iana.EAP_NAK, bytes(packet.SIZE_MAX - 5) + b"\x04") == reason.BAD_EAP


@pytest.mark.parametrize(("number", "code"), [(1, 2), (3, 2), (2, 1)])
def test_identifiers_and_codes(number, code):
    server, asked = begun()
    assert server.end(iana.EAP_MSCHAPV2, respond(asked), number=number, code=code) == reason.BAD_EAP


def test_a_method_is_offered_once():
    server, asked = begun()
    assert server.hear(iana.EAP_NAK, b"\x1a\x04")[1] == iana.EAP_MD5
    assert server.end(iana.EAP_NAK, b"\x1a\x04") == reason.EAP_METHODS_REFUSED_BY_PEER
    server = Server((4, 4))
    server.hear(iana.EAP_IDENTITY, b"carol")
    assert server.end(iana.EAP_NAK, b"\x1a\x04") == reason.EAP_METHODS_REFUSED_BY_PEER


def test_a_method_that_has_begun_is_seen_through():
    server, asked = begun()
    assert server.end(iana.EAP_MD5, b"\x10" + bytes(16)) == reason.BAD_EAP
    server, asked = begun()
    server.hear(iana.EAP_MSCHAPV2, respond(asked))
    assert server.end(iana.EAP_NAK, b"\x04") == reason.BAD_EAP


@given(st.lists(st.tuples(st.sampled_from((1, 2, 3, 4, 26)), st.binary(max_size=70)), min_size=1, max_size=8))
def test_nonsense_is_refused(answers):
    server = Server()
    for kind, data in answers:
        try:
            server.hear(kind, data)
        except Refusal as refusal:
            assert refusal.reason != reason.LOCAL_ERROR and refusal.notify == iana.AUTHENTICATION_FAILED
            return
    assert server.talk.number <= 5


# -- configurations --------------------------------------------------------------------------------------------------

DER = base64.b64encode(b"\x30" + bytes(20)).decode()
TABLE = {"role": "responder", "local_id": "gw.example", "psk": "a key", "eap_users": {"carol": "x", "alice": "0x79"}}


def test_a_configuration():
    (made,) = config.load({"connection": {"hq": TABLE}})
    assert made.eap_users == ((b"alice", b"y"), (b"carol", b"x")) and not hasattr(made, "eap_methods")
    (made,) = config.load({"connection": {"hq": {**TABLE, "eap_methods": ["md5"]}}})
    assert made.eap_methods == (4,)
    users = {f"user{n}": "x" for n in range(16)}
    del (table := dict(TABLE))["psk"]
    (made,) = config.load({"connection": {"hq": {**table, "cert": [DER], "key": DER, "eap_users": users}}})
    assert len(made.eap_users) == 16


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"role": "initiator", "remote": "192.0.2.1"}, "eap_users"),
        ({"eap_users": {}}, "eap_users"),
        ({"eap_users": ["carol"]}, "eap_users"),
        ({"eap_users": {"carol": ""}}, "eap_users"),
        ({"eap_users": {"carol": "0xff"}}, "eap_users"),
        ({"eap_users": {"": "x"}}, "eap_users"),
        ({"eap_users": {"c" * 65: "x"}}, "eap_users"),
        ({"eap_users": {"CORP\\carol": "x"}}, "eap_users"),
        ({"eap_users": {f"user{n}": "x" for n in range(17)}}, "eap_users"),
        ({"eap_methods": ["gtc"]}, "eap_methods"),
        ({"eap_methods": ["mschapv2", "gtc"]}, "eap_methods"),
        ({"ppk": "0x" + "11" * 32, "ppk_id": "one"}, "ppk"),
        ({"eap_only": True}, "eap_only"),
        ({"psk": None}, "psk"),
    ],
)
def test_a_configuration_that_is_refused(changes, key):
    table = {name: value for name, value in {**TABLE, **changes}.items() if value is not None}
    with pytest.raises(config.ConfigError) as caught:
        config.load({"connection": {"hq": table}})
    assert caught.value.key.endswith(key), caught.value


def test_methods_want_users():
    with pytest.raises(config.ConfigError) as caught:
        config.load({"connection": {"hq": {"role": "responder", "psk": "x", "eap_methods": ["md5"]}}})
    assert caught.value.key.endswith("eap_users")
