"""What is wrong with what the peer sends, told inside of its IKE SA (RFC 7296 sections 1.5, 2.3, 3.10.1).

Each is an INFORMATIONAL request of our own, never a response. The verdict on a drop calls: with an ESP packet anybody
can feign to be the peer, so this is rare, a hint to it, and not the end of anything.
"""

from uike import event, iana, reason
from uike.ike import exchange, sk
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_PAUSE_MS = 5_000  # between two, to whomever
_START = 64  # bytes of an offending packet that go back, at most
_ESP_HEADER = 8


def tell(endpoint, why, cause, remote):
    """`cause` was dropped for the reason `why`: an ESP packet of an SPI that we do not have, or decrypted, of one whose
    selectors forbid it; or (SA, message, now), with a Message ID outside of our window. It came from `remote`."""
    endpoint.complain_at = endpoint.now + _PAUSE_MS
    endpoint.loaded = True
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
    try:
        sk.unlock(sa, message)  # anybody can write an ID into a header
    except Refusal:
        return None
    return notify(iana.INVALID_MESSAGE_ID, message.id.to_bytes(4, "big"))


def _of_packet(sa, why, packet, remote):
    if why == reason.ESP_UNKNOWN_SPI:
        return notify(iana.INVALID_SPI, packet[:4]) if sa.remote == remote else None
    for child in sa.children:
        if child.spi_in == packet[:4]:
            start = _ESP_HEADER + child.open.iv_size
            size = min(_START, _size(packet, start))
            return notify(iana.INVALID_SELECTORS, packet[start : start + size], iana.PROTO_ESP, child.spi_in)
    return None


def _size(packet, at):
    """Length of the sound IP packet at `at`."""
    if packet[at] >> 4 == 4:
        return packet[at + 2] << 8 | packet[at + 3]
    return 40 + (packet[at + 4] << 8 | packet[at + 5])
