"""What the peer's response to our CREATE_CHILD_SA request refuses (RFC 7296 sections 1.3, 2.25)."""

from uike import iana, reason
from uike.wire.refusal import Refusal

RESTARTS_MAX = 3  # INVALID_KE_PAYLOAD

# What an error notify in the response to CREATE_CHILD_SA says of our request
_PEER_SAID = (
    (iana.NO_PROPOSAL_CHOSEN, reason.PEER_SAID_NO_ESP_PROPOSAL),
    (iana.TS_UNACCEPTABLE, reason.TS_REFUSED_BY_PEER),
    (iana.SINGLE_PAIR_REQUIRED, reason.SINGLE_PAIR_WANTED),
    (iana.TEMPORARY_FAILURE, reason.PEER_SAID_LATER),
    (iana.NO_ADDITIONAL_SAS, reason.PEER_SAID_NO_MORE_CHILDREN),
    (iana.CHILD_SA_NOT_FOUND, reason.CHILD_NOT_FOUND),
)


def check(response):
    """Raises Refusal for an error notify."""
    error = response.error()
    if error:
        for kind, why in _PEER_SAID:
            if kind == error[0]:
                raise Refusal(why, 0, error[1])
        raise Refusal(reason.PEER_ERROR, error[0], error[1])
