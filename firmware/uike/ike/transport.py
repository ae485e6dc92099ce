"""Transport mode (RFC 7296 sections 1.3.1, 2.23.1): asked for and granted by a notify, for the two ends of the IKE SA.

Behind a NAT a peer names itself by an address that we do not see. A responder reads its selectors as if they had the
addresses that it does see, and answers in the peer's words. Two peers behind the same NAT cannot be told apart by their
packets' addresses: what goes there goes to the one who came last.
"""

from uike import iana
from uike.wire.address import pack
from uike.wire.message import notify
from uike.wire.transport import Transport

# Padding that hides the lengths of packets could not be told from what they carry
WORDS = [notify(iana.USE_TRANSPORT_MODE), notify(iana.ESP_TFC_PADDING_NOT_SUPPORTED)]


def granted(child, response):
    """We have asked for it: is it so? Without the peer's word the Child SA is a tunnel."""
    if response.notify(iana.USE_TRANSPORT_MODE) is not None:
        _use(child)


def _use(child):
    child.transport = Transport(child.local_ts[0][8:12], child.remote_ts[0][8:12])


class View:
    """The peer's selectors for one Child SA, in its eyes and in ours."""

    def __init__(self, sa, ts_i, ts_r):
        self.ends = _end(ts_i), _end(ts_r)
        self.ts_i = _at(ts_i, pack(sa.remote[0]), self.ends[0])
        self.ts_r = _at(ts_r, pack(sa.local[0]), self.ends[1])

    def grant(self, child):
        """Payloads to be added to the response; and its selectors, as the peer calls them: (TSi, TSr)."""
        _use(child)
        ts_i = _at(child.remote_ts, self.ends[0], self.ends[0])
        return WORDS, ts_i, _at(child.local_ts, self.ends[1], self.ends[1])


def _end(selectors):
    """The one IPv4 address that all of them have; None when there are others."""
    ends = [selector[8:12] for selector in selectors if len(selector) == 16 and selector[8:12] == selector[12:16]]
    return ends[0] if ends and len(ends) == len(selectors) and ends.count(ends[0]) == len(ends) else None


def _at(selectors, address, end):
    """The same, with `address` for their one end; unchanged when they have not got one."""
    return [selector[:8] + address * 2 for selector in selectors] if end else selectors
