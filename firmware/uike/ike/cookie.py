"""Cookies of a responder (RFC 7296 section 2.6): whoever returns one receives at the address that he sends from.

Nothing is kept of who asked. The secret that cookies are made with is changed now and then, and the one before still
counts until the next change. Transient: loaded by `uike.admission` while there are many half-open SAs.
"""

from uike import iana
from uike.crypto import equal
from uike.wire.address import pack
from uike.wire.message import HEADER, notify

_SECRET = 32  # bytes
_SECRET_MS = 60_000
_SECRET_COOKIES = 4_096
_COOKIE = 20  # bytes of the MAC in a cookie; one more, in front, numbers the secret


def proved(admission, message):
    """Whether the request carries a cookie of ours. If not, it is answered with one. Raises Refusal when it is
    malformed."""
    message.read(message.first, HEADER, len(message.buffer))
    now = admission.endpoint.now
    if not admission.secret or admission.made >= _SECRET_COOKIES or now - admission.changed_at >= _SECRET_MS:
        stale = now - admission.changed_at >= 2 * _SECRET_MS
        admission.old = b"" if stale else admission.secret
        admission.secret = admission.endpoint.random(_SECRET)
        admission.version = (admission.version + 1) & 255
        admission.made, admission.changed_at = 0, now
    given = message.notify(iana.COOKIE)
    if given:
        for secret, version in ((admission.secret, admission.version), (admission.old, (admission.version - 1) & 255)):
            if secret and given[0] == version and equal(_make(admission, message, secret, version), given):
                return True
    admission.made += 1
    cookie = _make(admission, message, admission.secret, admission.version)
    admission.answer(message, [notify(iana.COOKIE, cookie)])
    return False


def _make(admission, message, secret, version):
    # Cookie = <VersionIDofSecret> | prf(<secret>, Ni | IPi | SPIi)
    data = message.body(iana.NONCE) + pack(message.remote[0]) + message.spi_i
    mac = admission.endpoint.crypto.prf(iana.PRF_HMAC_SHA2_256, secret, data)
    return bytes((version,)) + bytes(mac[:_COOKIE])
