"""EAP-GTC (RFC 3748 section 5.6): the password itself, to a server that proved who it is. Transient."""


class Method:
    """The peer's side of one conversation."""

    msk = None
    proved = False

    def __init__(self, sa, user, password):
        self._password = password

    def answer(self, number, data):
        """Data of the response to a request's, which is a prompt for a person."""
        self.proved = True  # as far as it goes: the AUTH payload before it was the server's proof
        return bytes(self._password)
