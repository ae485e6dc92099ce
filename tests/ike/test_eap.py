"""EAP rounds of the initiator: what it answers, what it believes, and where it stops. A script plays the gateway."""

import base64
import hashlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world import World, connection
from uike import config, event, iana, reason
from uike.eap import mschapv2
from uike.eap.packet import SIZE_MAX, build, parse
from uike.hal.cpython.crypto import Provider
from uike.ike import auth, eap, exchange
from uike.wire.refusal import Refusal

PASSWORD = b"correct horse"
SERVERS = bytes(range(16))
CHALLENGE = b"\x01\x07\x00\x1a\x10" + SERVERS + b"gw.ex"
IDENTITY = (1, 1, iana.EAP_IDENTITY, b"")
SUCCESS, FAILURE = (3, 9), (4, 9)


class Answer:
    """A response with an EAP payload and nothing else."""

    def __init__(self, packet):
        self._packet = packet

    def body(self, kind):
        return self._packet if kind == iana.EAP else None

    def error(self):
        return None


def answer(code, number, kind=0, data=b""):
    return Answer(build(code, number, kind, data)[1])


class Peer:
    """The initiator, one packet at a time."""

    def __init__(self, **changes):
        made = connection(True, eap_password=PASSWORD)
        for name, value in {"eap_id": b"carol", **changes}.items():
            setattr(made, name, value)
        endpoint = SimpleNamespace(crypto=Provider(), random=lambda n: bytes(n))
        self.sa = SimpleNamespace(connection=made, endpoint=endpoint)
        self.task = None

    def hear(self, *packet):
        """(type, data) of what is answered."""
        response = answer(*packet)
        if self.task:
            exchange, payloads = self.task.send(response)
        else:
            self.task = eap.converse(self.sa, response)
            exchange, payloads = next(self.task)
        assert exchange == iana.IKE_AUTH and [kind for kind, _ in payloads] == [iana.EAP]
        code, number, kind, data = parse(payloads[0][1])
        assert (code, number) == (iana.EAP_RESPONSE, packet[1])
        return kind, data

    def end(self, *packet):
        """The key, or the name of the reason."""
        with pytest.raises((StopIteration, Refusal)) as caught:
            self.hear(*packet)
        if caught.type is Refusal:
            assert PASSWORD not in caught.value.data and caught.value.notify
            return caught.value.reason
        return caught.value.value


def proof(data, password=PASSWORD):
    """The gateway's answer to a response of MS-CHAPv2, and the MSK."""
    sha1, hashed = Provider().sha1, mschapv2.password_hash(password)
    peers, response, user = data[5:21], data[29:53], data[54:]
    assert response == mschapv2.nt_response(sha1, hashed, SERVERS, peers, user)
    said = mschapv2.authenticator(sha1, hashed, response, SERVERS, peers, user) + b" M=hello"
    return b"\x03\x07" + (4 + len(said)).to_bytes(2, "big") + said, mschapv2.session_key(sha1, hashed, response)


def test_mschapv2():
    peer = Peer()
    assert peer.hear(*IDENTITY) == (iana.EAP_IDENTITY, b"carol")
    assert peer.hear(1, 2, iana.EAP_NOTIFICATION, b"good morning") == (iana.EAP_NOTIFICATION, b"")
    kind, data = peer.hear(1, 3, iana.EAP_MSCHAPV2, CHALLENGE)
    assert kind == iana.EAP_MSCHAPV2 and data[:5] == b"\x02\x07\x00\x3b\x31" and data[54:] == b"carol"
    said, key = proof(data)
    assert peer.hear(1, 4, iana.EAP_MSCHAPV2, said) == (iana.EAP_MSCHAPV2, b"\x03")
    assert peer.end(*SUCCESS) == key and len(key) == 64


def test_md5_and_gtc_have_no_key():
    peer = Peer(eap_id=b"dev.example")
    assert peer.hear(*IDENTITY) == (iana.EAP_IDENTITY, b"dev.example")
    made = hashlib.md5(b"\x05" + PASSWORD + b"challenge").digest()
    assert peer.hear(1, 5, iana.EAP_MD5, b"\x09challengegw") == (iana.EAP_MD5, b"\x10" + made)
    assert peer.end(*SUCCESS) == b""
    peer = Peer()
    assert peer.hear(1, 5, iana.EAP_GTC, b"Password: ") == (iana.EAP_GTC, PASSWORD)
    assert peer.end(*SUCCESS) == b""


def test_another_method_is_refused_and_ours_are_named():
    peer = Peer(eap_methods=(26, 4))
    assert peer.hear(1, 1, iana.EAP_GTC, b"Password: ") == (iana.EAP_NAK, b"\x1a\x04")
    assert peer.hear(1, 2, iana.EAP_MD5, b"\x01x")[0] == iana.EAP_MD5
    peer = Peer(eap_only=True)
    assert peer.hear(1, 1, iana.EAP_GTC, b"Password: ") == (iana.EAP_NAK, b"\x1a")
    assert peer.end(*FAILURE) == reason.EAP_METHOD_REFUSED
    peer = Peer()
    assert peer.hear(1, 1, iana.EAP_TLS, b"\x20")[0] == iana.EAP_NAK
    assert peer.end(*FAILURE) == reason.EAP_TLS_REFUSED


def test_a_gateway_that_does_not_know_the_password():
    peer = Peer()
    said, _ = proof(peer.hear(1, 3, iana.EAP_MSCHAPV2, CHALLENGE)[1])
    wrong = said[:10] + bytes((said[10] ^ 1,)) + said[11:]
    assert peer.end(1, 4, iana.EAP_MSCHAPV2, wrong) == reason.EAP_SERVER_UNPROVED


def test_success_is_believed_only_after_its_proof():
    assert Peer().end(*SUCCESS) == reason.EAP_EARLY_SUCCESS
    peer = Peer()
    peer.hear(*IDENTITY)
    assert peer.end(*SUCCESS) == reason.EAP_EARLY_SUCCESS
    peer = Peer()
    peer.hear(1, 3, iana.EAP_MSCHAPV2, CHALLENGE)
    assert peer.end(*SUCCESS) == reason.EAP_EARLY_SUCCESS


def test_a_wrong_password():
    peer = Peer()
    peer.hear(1, 3, iana.EAP_MSCHAPV2, CHALLENGE)
    assert peer.hear(1, 4, iana.EAP_MSCHAPV2, b"\x04\x07\x00\x0aE=691 R=0") == (iana.EAP_MSCHAPV2, b"\x04")
    assert peer.end(*FAILURE) == reason.EAP_FAILED


@pytest.mark.parametrize("second", [(1, 4, iana.EAP_GTC, b"Password: "), (1, 4, iana.EAP_TLS, b"\x20")])
def test_no_other_method_once_one_has_begun(second):
    peer = Peer()
    peer.hear(1, 3, iana.EAP_MSCHAPV2, CHALLENGE)
    assert peer.end(*second) == reason.EAP_METHOD_REFUSED


@pytest.mark.parametrize("data", [CHALLENGE, b"", b"\x05", CHALLENGE[:20], b"\x03\x07\x00\x04"])
def test_mschapv2_out_of_its_order(data):
    peer = Peer()
    peer.hear(1, 3, iana.EAP_MSCHAPV2, CHALLENGE)
    assert peer.end(1, 4, iana.EAP_MSCHAPV2, data) == reason.BAD_EAP


class Last(Answer):
    """A response with an AUTH payload, or with none."""

    def __init__(self, body):
        self._body = body

    def body(self, kind):
        return self._body if kind == iana.AUTH else None


def last(make):
    """What comes of EAP-MD5 and the AUTH payload that `make(mac with SK_pr)` returns: the response, or a reason."""
    peer = Peer()
    sa = peer.sa
    sa.setup = SimpleNamespace(request=b"first", response=b"second", nonce_i=b"i" * 16, nonce_r=b"r" * 16)
    sa.sk_pi, sa.sk_pr, sa.prf = b"p" * 32, b"q" * 32, iana.PRF_HMAC_SHA2_256
    id_r = auth.id_body((2, b"gw.example"))
    task = eap.prove(sa, answer(1, 5, iana.EAP_MD5, b"\x01x"), id_r)
    next(task)
    exchange, payloads = task.send(answer(*SUCCESS))
    ours = auth.mac(sa, auth.octets_of(sa, True, auth.id_body(sa.connection.local_id)), sa.sk_pi)
    assert payloads == [(iana.AUTH, b"\x02\0\0\0" + ours)]
    theirs = auth.mac(sa, auth.octets_of(sa, False, id_r), sa.sk_pr)
    with pytest.raises((StopIteration, Refusal)) as caught:
        task.send(Last(make(theirs)))
    return caught.value.reason if caught.type is Refusal else caught.value.value


def test_the_last_auth_payload():
    head = b"\x02\0\0\0"
    assert type(last(lambda mac: head + mac)) is Last
    assert last(lambda mac: head + bytes((mac[0] ^ 1,)) + mac[1:]) == reason.EAP_KEY_DIFFERS
    assert last(lambda mac: b"\x0e\0\0\0" + mac) == reason.EAP_KEY_DIFFERS
    assert last(lambda mac: b"") == reason.EAP_KEY_DIFFERS
    assert last(lambda mac: None) == reason.PAYLOAD_MISSING


def test_rounds_have_an_end():
    peer = Peer()
    for number in range(eap.ROUNDS_MAX):
        peer.hear(1, number, iana.EAP_NOTIFICATION, b"again")
    assert peer.end(1, 99, iana.EAP_NOTIFICATION, b"again") == reason.EAP_TOO_LONG


def test_a_long_packet():
    fits = build(1, 1, iana.EAP_NOTIFICATION, bytes(SIZE_MAX - 5))[1]
    assert parse(fits)[2] == iana.EAP_NOTIFICATION
    with pytest.raises(Refusal) as caught:
        parse(build(1, 1, iana.EAP_NOTIFICATION, bytes(SIZE_MAX - 4))[1])
    assert caught.value.reason == reason.BAD_EAP


@given(st.lists(st.binary(max_size=60), max_size=6), st.booleans())
def test_nonsense_is_refused(tails, framed):
    peer = Peer()
    task, first = None, True
    for tail in tails:
        packet = b"\x01\x07" + (4 + len(tail)).to_bytes(2, "big") + tail if framed else tail
        try:
            task = task or eap.converse(peer.sa, Answer(packet))
            next(task) if first else task.send(Answer(packet))
            first = False
        except Refusal as refusal:
            assert refusal.reason in (reason.BAD_EAP, reason.EAP_METHOD_REFUSED, reason.EAP_EARLY_SUCCESS)
            return


def test_no_secret_goes_to_a_gateway_that_has_no_eap():
    wire = World(connection(True, eap_password=PASSWORD), connection(False)).connect()
    assert wire.gateway.closed() == ["PAYLOAD_MISSING"] and not wire.internal_errors()
    assert wire.board.closed() == ["PEER_ERROR"]
    assert not [body for _, _, body in wire.board.log if PASSWORD in body]


DER = base64.b64encode(b"\x30" + bytes(20)).decode()
TABLE = {"role": "initiator", "remote": "192.0.2.1", "local_id": "dev.example", "cacerts": [DER]}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"eap_id": "carol"}, "eap_password"),
        ({"eap_password": "x", "eap_methods": ["tls"]}, "eap_methods"),
        ({"eap_password": "x", "eap_methods": []}, "eap_methods"),
        ({"eap_password": "x", "eap_methods": ["md5"], "eap_only": True}, "eap_methods"),
        ({"eap_password": "0xff"}, "eap_password"),
        ({"eap_password": "x", "role": "responder"}, "eap_password"),
        ({"eap_password": "x", "cacerts": []}, "cacerts"),
    ],
)
def test_a_configuration_that_is_refused(changes, key):
    with pytest.raises(config.ConfigError) as caught:
        config.load({"connection": {"hq": {**TABLE, **changes}}})
    assert caught.value.key.endswith(key), caught.value


def test_the_trace_has_no_eap_data():
    assert event.MESSAGE == 1  # the body below is that of a MESSAGE
    wire = World(connection(True), connection(False))
    board = wire.connect().board
    before = len(board.log)
    payloads = [build(iana.EAP_RESPONSE, 1, iana.EAP_GTC, PASSWORD)]
    exchange._trace_sent(board.sa, iana.IKE_AUTH, False, 7, payloads, [bytes(99)])
    assert len(board.log) == before + 1
    body = board.log[-1][2]
    assert PASSWORD not in body and body.endswith(payloads[0][1][:4] + bytes(1 + len(PASSWORD)))
