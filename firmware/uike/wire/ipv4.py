"""Inner IPv4 packets looked at (RFC 791), and echo requests answered (RFC 792).

For the main loop, and for `uike.net`: it is here because this stays in memory while a tunnel is up, and that does not.
"""

from uike import iana

_HEADER = 20
_ECHO_REPLY = 0
_ECHO = 8
_CHUNK = 120  # bytes of one big number; even


def checksum(data, at, end, total=0):
    """Internet checksum (RFC 1071) of data[at:end] and of a sum `total`; 0 over data that has its own checksum in it.

    65536 is 1 modulo 65535, so the sum of 16-bit words is the number that the bytes are, modulo 65535."""
    for start in range(at, end, _CHUNK):
        part = data[start : min(start + _CHUNK, end)]
        total += int.from_bytes(part, "big") * (256 if len(part) & 1 else 1) % 65535
    return -total % 65535


def payload(packet):
    """Where the data of a whole, valid packet begins; 0 for any other. Fragments are no whole packets."""
    if len(packet) < _HEADER or packet[0] >> 4 != 4 or packet[6] & 0x3F or packet[7]:
        return 0
    at = (packet[0] & 15) * 4
    if at < _HEADER or packet[2] << 8 | packet[3] != len(packet) or at > len(packet) or checksum(packet, 0, at):
        return 0
    return at


def is_echo(packet, kind):
    """Where the message begins, if the packet is a whole, valid ICMP echo message of that kind; else 0."""
    at = payload(packet)
    if not at or packet[9] != iana.IPPROTO_ICMP or len(packet) < at + 8 or packet[at] != kind or packet[at + 1]:
        return 0
    return 0 if checksum(packet, at, len(packet)) else at


def echo_reply(packet, address):
    """The answer to an echo request for `address`; None for any other packet. Options come back as they were."""
    at = is_echo(packet, _ECHO)
    if not at or packet[16:20] != address:
        return None
    answer = bytearray(packet)  # whose header keeps its checksum: the same words in another order
    answer[12:16] = packet[16:20]
    answer[16:20] = packet[12:16]
    answer[at] = answer[at + 2] = answer[at + 3] = _ECHO_REPLY
    total = checksum(answer, at, len(answer))
    answer[at + 2] = total >> 8
    answer[at + 3] = total & 255
    return answer
