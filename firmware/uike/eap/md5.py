"""EAP-MD5 (RFC 3748 section 5.4): the password against a challenge; nothing of the server, and no key. Transient."""

from uike import reason
from uike.eap.digest import md5
from uike.eap.packet import refuse


class Method:
    """The peer's side of one conversation."""

    msk = None
    proved = False

    def __init__(self, sa, user, password):
        self._password = password

    def answer(self, number, data):
        """Data of the response to a request's; `number` is the identifier of its packet."""
        if not data or not 0 < data[0] < len(data):
            raise refuse(reason.BAD_EAP)
        self.proved = True  # as far as it goes: the AUTH payload before it was the server's proof
        return b"\x10" + md5(bytes((number,)) + self._password + data[1 : 1 + data[0]])
