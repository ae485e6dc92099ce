"""EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2; RFC 2759, RFC 3079): both sides prove the password. Transient.

Request and response are `op(1) id(1) length(2) ...`. What an eavesdropper hears costs him one DES to break, so it goes
only to a server that proved itself before, or to one of `eap_only`, where whoever plays the server hears it.
"""

from uike import reason
from uike.crypto import equal
from uike.eap import des
from uike.eap.digest import md4
from uike.eap.packet import refuse

CHALLENGE, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
_PAD = bytes(8)
_MAGIC = (b"Magic server to client signing constant", b"Pad to make it do more than one iteration")
_MASTER = b"This is the MPPE Master Key"
_KEYS = (  # the two halves of the MSK, in their order
    b"On the client side, this is the send key; on the server side, it is the receive key.",
    b"On the client side, this is the receive key; on the server side, it is the send key.",
)


def password_hash(password):
    """MD4 of the password in UTF-16, from UTF-8."""
    wide = b""
    for c in bytes(password).decode():
        c = ord(c)
        if c > 0xFFFF:
            wide += (0xD7C0 + (c >> 10)).to_bytes(2, "little")
            c = 0xDC00 | c & 0x3FF
        wide += c.to_bytes(2, "little")
    return md4(wide)


def _challenge(sha1, peers, servers, user):
    return sha1(peers + servers + user.split(b"\\")[-1])[:8]


def nt_response(sha1, hashed, servers, peers, user):
    """24 bytes: three DES blocks (RFC 2759 section 8.1)."""
    block, keys = _challenge(sha1, peers, servers, user), hashed + bytes(5)
    return b"".join([des.encrypt(keys[i : i + 7], block) for i in (0, 7, 14)])


def authenticator(sha1, hashed, response, servers, peers, user):
    """The server's proof, as it is sent (section 8.7): `S=` and forty hexadecimal digits."""
    first = sha1(md4(hashed) + response + _MAGIC[0])
    proof = sha1(first + _challenge(sha1, peers, servers, user) + _MAGIC[1])
    return b"S=" + b"".join([b"%02X" % byte for byte in proof])


def session_key(sha1, hashed, response):
    """The MSK, 64 bytes (RFC 3079 section 3.4, draft-kamath section 3)."""
    master = sha1(md4(hashed) + response + _MASTER)[:16]
    return b"".join([sha1(master + bytes(40) + text + b"\xf2" * 40)[:16] for text in _KEYS]) + bytes(32)


class Method:
    """The peer's side of one conversation."""

    msk = None
    proved = False
    _expected = None

    def __init__(self, sa, user, password):
        self._sha1 = sa.endpoint.crypto.sha1
        self._random = sa.endpoint.random
        self._user = user
        self._hash = password_hash(password)

    def answer(self, number, data):
        """Data of the response to a request's."""
        op = data[0] if data else 0
        if op == FAILURE:
            return bytes((FAILURE,))
        if op == CHALLENGE and len(data) >= 21 and data[4] == 16 and not self._expected:
            servers, peers = data[5:21], self._random(16)
            response = nt_response(self._sha1, self._hash, servers, peers, self._user)
            self._expected = authenticator(self._sha1, self._hash, response, servers, peers, self._user)
            self.msk = session_key(self._sha1, self._hash, response)
            body = b"\x31" + peers + _PAD + response + b"\0" + self._user
            return bytes((RESPONSE, data[1])) + (4 + len(body)).to_bytes(2, "big") + body
        if op != SUCCESS or not self._expected or len(data) < 46:
            raise refuse(reason.BAD_EAP)
        if not equal(self._expected, data[4:46]):
            raise refuse(reason.EAP_SERVER_UNPROVED)
        self.proved = True
        return bytes((SUCCESS,))
