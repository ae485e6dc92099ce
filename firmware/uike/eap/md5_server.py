"""EAP-MD5 as the server speaks it (RFC 3748 section 5.4): a challenge, and whether the answer is right. Transient."""

from uike import iana, reason
from uike.crypto import equal
from uike.eap.digest import md5
from uike.eap.packet import refuse


class Method:
    """The server's side of one conversation. `wrong` is set once the password was."""

    kind = iana.EAP_MD5
    msk = None
    wrong = False

    def __init__(self, sa, user, password):
        self._challenge = bytes(sa.endpoint.random(16))
        self._password = bytes(password)

    def ask(self, number):
        """Data of the request."""
        return b"\x10" + self._challenge

    def hear(self, number, data):
        """Takes the response to the packet of that identifier; None, for it is over."""
        if len(data) < 17 or data[0] != 16:
            raise refuse(reason.BAD_EAP)
        self.wrong = not equal(md5(bytes((number,)) + self._password + self._challenge), data[1:17])
        return None
