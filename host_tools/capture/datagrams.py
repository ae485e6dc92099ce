"""The datagrams of a recording: as they were, when the board traced them; else what its messages tell of them.

Without `trace_datagrams` an encrypted message is shown with its payloads in the clear, which no wire has seen, and its
comment says so. IKE_SA_INIT is in the clear anyway, and comes out as it was.
"""

from host_tools import payloads
from host_tools.capture.pcapng import Packet, udp
from uike import iana

_MARKER = bytes(4)  # before IKE on port 4500 (RFC 3948 section 2.2)
DECRYPTED = "payloads in the clear, as the board decrypted them; on the wire this was encrypted, {} bytes"


def packets(events, since_us: int = 0) -> list[Packet]:
    """The packets in order; times count from `since_us`, which is when the board was switched on."""
    traced = [each for each in events if each.name == "datagram"]
    return [packet(each, since_us) for each in traced or events if each.name in ("datagram", "message")]


def as_they_were(events) -> bool:
    """Whether the recording has the datagrams themselves."""
    return any(each.name == "datagram" for each in events)


def packet(event, since_us: int) -> Packet:
    """The packet of one event, a datagram or a message."""
    fields = event.fields
    data, comment = fields["data"], ""
    if event.name == "message":
        if fields["encrypted"]:
            comment = DECRYPTED.format(fields["length"])
            data = data[:24] + len(data).to_bytes(4, "big") + data[28:]
        if iana.PORT_NATT in (fields["local"][1], fields["remote"][1]) and len(data) >= payloads.HEADER:
            data = _MARKER + data
    ends = (fields["local"], fields["remote"]) if fields["out"] else (fields["remote"], fields["local"])
    return Packet(since_us + 1000 * event.time_ms, udp(*ends, data), comment)
