"""The front door: messages for no SA that we have (RFC 7296 sections 2.4, 2.5, 2.6, 2.21.4). Called by the endpoint.

A stranger costs us nothing that he has not proved to be worth: above a threshold of half-open SAs he must first return
a cookie, which shows that he receives at his address; of that address and of all there is a limit. What we answer in
the clear is rare, never longer than its cause, and never an answer to an answer.
"""

from uike import iana, reason
from uike.ike import exchange
from uike.transient import load
from uike.wire.message import build, notify
from uike.wire.refusal import Refusal

_HALF_OPEN_MAX = 6
_OF_ADDRESS_MAX = 4
_UNPROVED_MAX = 2  # of one address without a cookie: whoever forges it leaves room for its owner
_HALF_OPEN_MS = 30_000
_TELL_MS = 250  # between two errors in the clear


class Admission:
    """Its only memory are two secrets: the one that cookies are made with, and the one before."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.secret = self.old = b""
        self.version = 0
        self.made = 0  # cookies, with `secret`
        self.changed_at = 0
        self.tell_at = 0

    def first(self, message):
        """A message for an unknown SA: an IKE_SA_INIT request begins one, all else is refused."""
        if message.exchange != iana.IKE_SA_INIT or message.response or message.spi_r != bytes(8):
            self.tell(message, iana.INVALID_IKE_SPI)
            raise Refusal(reason.UNKNOWN_IKE_SPI)
        if not message.from_initiator or message.id:
            raise Refusal(reason.WRONG_FLAGS)
        endpoint = self.endpoint
        half_open, of_address = self._half_open(message)
        candidates = endpoint.responders(message.remote[0])
        if not candidates:
            raise Refusal(reason.NO_CONNECTION)
        threshold = min([each.cookie_threshold for each in candidates])
        if half_open >= threshold or of_address >= _UNPROVED_MAX:
            if not load("uike.ike.cookie").proved(self, message):  # in memory for as long as the flood lasts
                raise Refusal(reason.COOKIE_WANTED)
        if of_address >= _OF_ADDRESS_MAX:
            raise Refusal(reason.HALF_OPEN_OF_ADDRESS)
        if half_open >= _HALF_OPEN_MAX:
            raise Refusal(reason.TOO_MANY_HALF_OPEN)
        if not endpoint.has_room():
            raise Refusal(reason.TOO_MANY_SAS)
        self._admit(candidates[0], message)

    def _admit(self, connection, message):
        endpoint = self.endpoint
        sa = endpoint.new_sa(connection, False, message.local, message.remote)
        sa.spi_i, sa.spi_r = message.spi_i, endpoint.new_ike_spi()
        sa.expires_at = endpoint.now + _HALF_OPEN_MS
        endpoint.sas.append(sa)
        endpoint.loaded = True
        try:
            exchange.on_request(sa, message, endpoint.now)
        except Exception:  # nothing is kept of a request that could not even be refused
            endpoint.forget(sa)
            raise

    def _half_open(self, message):
        """(all, those of the same address). A retransmission is answered as before, and raises Refusal."""
        half_open = of_address = 0
        for sa in self.endpoint.sas:
            if not sa.initiator and sa.setup:
                if sa.spi_i == message.spi_i and sa.setup.request == message.buffer and sa.last_response:
                    self.endpoint.send(sa, sa.last_response, self.endpoint.now, message)
                    raise Refusal(reason.RETRANSMITTED_REQUEST)
                half_open += 1
                of_address += sa.remote[0] == message.remote[0]
        return half_open, of_address

    # -- in the clear ------------------------------------------------------------------------------------------------

    def tell(self, message, kind):
        """Answers a request outside of any SA with an error notify; not often."""
        endpoint = self.endpoint
        if not message.response and endpoint.now >= self.tell_at:
            said = [notify(kind)]
            if endpoint.secret and kind == iana.INVALID_IKE_SPI:
                said += load("uike.ike.crash").present(endpoint, message)
            if self.answer(message, said):
                self.tell_at = endpoint.now + _TELL_MS

    def answer(self, message, payloads):
        """A response in the clear; False when it would be longer than its cause.

        By three bytes a token may be: else the shortest messages of an AEAD would get none."""
        flags = iana.FLAG_RESPONSE | (0 if message.from_initiator else iana.FLAG_INITIATOR)
        data = build(message.spi_i, message.spi_r, message.exchange, flags, message.id, payloads)
        if len(data) > len(message.buffer) + 3 * len(payloads) - 3:
            return False
        self.endpoint.reply(message, data)
        return True
