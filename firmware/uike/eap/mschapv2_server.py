"""EAP-MSCHAPv2 as the server speaks it: challenge, verdict, and the proof that we know the password too. Transient."""

from uike import iana, reason
from uike.crypto import equal
from uike.eap import mschapv2
from uike.eap.packet import refuse

_NAME = b"uike"
_SAID = b"E=691 R=0 C=%s V=3 M=no"  # RFC 2759 section 6: not authenticated, and no further try


class Method:
    """The server's side of one conversation. `wrong` is set once the password was."""

    kind = iana.EAP_MSCHAPV2
    msk = None
    wrong = False
    _said = mschapv2.CHALLENGE

    def __init__(self, sa, user, password):
        self._sha1 = sa.endpoint.crypto.sha1
        self._challenge = bytes(sa.endpoint.random(16))
        self._user = user
        self._hash = mschapv2.password_hash(password)

    def ask(self, number):
        """Data of the first request, whose packet has the identifier `number`."""
        self._id = number
        return self._packet(b"\x10" + self._challenge + _NAME)

    def hear(self, number, data):
        """Data of the request that follows the response `data`; None when it is over."""
        if self._said == mschapv2.CHALLENGE:
            return self._judge(data)
        if self._said == mschapv2.SUCCESS and data != bytes((mschapv2.SUCCESS,)):
            raise refuse(reason.BAD_EAP)
        return None  # whatever it says to a failure

    def _judge(self, data):
        if len(data) < 54 or data[:2] != bytes((mschapv2.RESPONSE, self._id)) or data[4] != 49:
            raise refuse(reason.BAD_EAP)
        peers, response, name = data[5:21], data[29:53], data[54:]
        expected = mschapv2.nt_response(self._sha1, self._hash, self._challenge, peers, name)
        same_name = name in (self._user, self._user.split(b"\\")[-1])
        if not equal(expected, response) or not same_name:
            self.wrong, self._said = True, mschapv2.FAILURE
            return self._packet(_SAID % b"".join([b"%02X" % byte for byte in self._challenge]))
        self._said = mschapv2.SUCCESS
        proof = mschapv2.authenticator(self._sha1, self._hash, response, self._challenge, peers, name)
        self.msk = mschapv2.session_key(self._sha1, self._hash, response)
        return self._packet(proof + b" M=OK")

    def _packet(self, body):
        return bytes((self._said, self._id)) + (4 + len(body)).to_bytes(2, "big") + body
