"""Quick crash detection (RFC 6290): who has lost an IKE SA can prove to its peer that it once had it.

While the SA is up each side gives the other a token that it can make again from the SPIs and a secret which outlives a
restart. After one, INVALID_IKE_SPI comes with the token, in the clear: whoever got it when the SA was made believes it.

A token is never made for an SA that is up: it would end it. So the endpoint makes one only for SPIs that it does not
know, and no two boards may have the same secret.
"""

from uike import iana, reason
from uike.crypto import equal
from uike.ike import exchange
from uike.wire.message import HEADER, notify
from uike.wire.refusal import Refusal

SECRET = 32  # bytes
_TOKEN = 16  # bytes of ours; RFC 6290 section 4.1 has 16 to 128
_TOKEN_MAX = 128
_ASKED_MIN = 57  # bytes of the shortest encrypted message: what is shorter does not ask for a token


def offer(sa):
    """Our token for an IKE SA, for IKE_AUTH or after a rekeying: a list of payloads, empty without a secret."""
    return [_token(sa.endpoint, sa)] if sa.endpoint.secret else []


def present(endpoint, message):
    """The same for an IKE SA that we do not have any more, and `message` belongs to. Called by `uike.admission`."""
    endpoint.loaded = True
    return [_token(endpoint, message)] if len(message.buffer) >= _ASKED_MIN else []


def _token(endpoint, spis):
    mac = endpoint.crypto.prf(iana.PRF_HMAC_SHA2_256, endpoint.secret, spis.spi_i + spis.spi_r)
    return notify(iana.QUICK_CRASH_DETECTION, bytes(mac[:_TOKEN]), iana.PROTO_IKE)


def take(sa, message):
    """Keeps the peer's token, when the message has one."""
    token = message.notify(iana.QUICK_CRASH_DETECTION)
    if token is not None and _TOKEN <= len(token) <= _TOKEN_MAX:
        sa.token = token


def renew(fresh):
    """An IKE SA was replaced at our request: there was no telling our token before its SPIs were known."""
    said = offer(fresh)
    if said:
        exchange.start(fresh, _tell(said), fresh.endpoint.now)


def _tell(said):
    # HDR, SK {N(QCD_TOKEN)} -->
    yield (iana.INFORMATIONAL, said)
    #                <-- HDR, SK {}


def check(sa, message):
    """Our request was answered in the clear: the SA ends when the peer's token is in the answer. Raises Refusal."""
    if sa.token and message.response:
        message.read(message.first, HEADER, len(message.buffer))
        for kind, data in message.notifies():
            if kind == iana.QUICK_CRASH_DETECTION and equal(data, sa.token):
                sa.endpoint.end(sa, Refusal(reason.PEER_RESTARTED, iana.INVALID_IKE_SPI), message, False)
                return
