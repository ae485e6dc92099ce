"""A second look at what was dropped (RFC 7296 sections 1.5, 2.3, 3.10.1, RFC 6290 section 4.3).

The peer is told, inside of its IKE SA, of a packet that its selectors forbid, of an SPI that we do not have, of a
Message ID ahead of our window: an INFORMATIONAL request of our own, never a response. With an ESP packet anybody can
feign to be the peer, so this is a hint to it, and not the end of anything. And an answer in the clear may be that of a
peer that has restarted. Called by the verdict on a drop, which keeps to the pause that is set here.
"""

from uike import event, iana, reason
from uike.ike import exchange, sk
from uike.transient import load
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_PAUSE_MS = 5_000  # between two looks, at whomever
_START = 64  # bytes of an offending packet that go back, at most
_ESP_HEADER = 8


def look(endpoint, why, cause, remote):
    """`cause` was dropped for the reason `why`: an ESP packet of an SPI that we do not have, or decrypted, of one whose
    selectors forbid it; or (SA, message, now). It came from `remote`."""
    endpoint.look_at = endpoint.now + _PAUSE_MS
    endpoint.loaded = True
    try:
        if why == reason.NOT_ENCRYPTED:
            load("uike.ike.crash").check(cause[0], cause[1])
        else:
            _tell(endpoint, why, cause, remote)
    except Refusal:
        pass  # it is dropped already


def _tell(endpoint, why, cause, remote):
    for sa in endpoint.sas:
        if sa.state == event.STATE_ESTABLISHED and not sa.quiet and not sa.task:
            wrong_id = why == reason.WRONG_MESSAGE_ID
            said = _of_message(sa, cause) if wrong_id else _of_packet(sa, why, cause, remote)
            if said:
                endpoint.guard(sa, exchange.start, sa, _ask(said), endpoint.now)
                return


def _ask(said):
    # HDR, SK {N} -->
    yield (iana.INFORMATIONAL, [said])
    #                <-- HDR, SK {}


def _of_message(sa, cause):
    """None when it is not of this SA, or behind the window: that one may be late, or somebody's replay."""
    message = cause[1]
    if cause[0] is not sa or message.id < sa.receive_id:
        return None
    sk.unlock(sa, message)  # anybody can write an ID into a header: raises Refusal
    return notify(iana.INVALID_MESSAGE_ID, message.id.to_bytes(4, "big"))


def _of_packet(sa, why, packet, remote):
    if why == reason.ESP_UNKNOWN_SPI:
        return notify(iana.INVALID_SPI, packet[:4]) if sa.remote == remote else None
    for child in sa.children:
        if child.spi_in == packet[:4]:
            start = _ESP_HEADER + child.open.iv_size
            size = 0 if child.transport else min(_START, _size(packet, start))
            return notify(iana.INVALID_SELECTORS, packet[start : start + size], iana.PROTO_ESP, child.spi_in)
    return None


def _size(packet, at):
    """Length of the sound IP packet at `at`."""
    if packet[at] >> 4 == 4:
        return packet[at + 2] << 8 | packet[at + 3]
    return 40 + (packet[at + 4] << 8 | packet[at + 5])
