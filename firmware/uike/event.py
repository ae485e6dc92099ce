"""Trace events: what a board says of itself. Folded into integers in a release.

A record is `code(1) sa(2) time_ms(4) body`, big endian; on the console it is one line, `#` and base64.
`sa` counts IKE SAs since power-on, 0 when there is none. The body is given beside each code; an `endpoint` there is
`IPv4 address(4) port(2)`. Records but KEYS carry no secret: the data of AUTH and EAP payloads and QUICK_CRASH_DETECTION
notifies is zeroed before a message is traced.
"""

MESSAGE = 1  # out(1) local endpoint(6) remote endpoint(6) encrypted(1) length(2) IKE header(28) payloads
#   length: of the datagram; of a message in fragments, what they carry and a header
STATE = 2  # old(1) new(1)
DROP = 3  # reason(1) remote endpoint(6) detail(0..)
IKE_PROPOSAL = 4  # chosen transforms, each type(1) id(2) key bits(2)
NAT = 5  # we are behind one(1) the peer is behind one(1) the peer speaks NAT-T(1)
RETRANSMIT = 6  # attempt(1) of(1) exchange(1) message ID(4)
ESTABLISHED = 7  # milliseconds since the first message(4) ID type(1) the peer's identity
CHILD_UP = (
    8  # SPI in(4) SPI out(4) n(1) transforms(5n) n(1) local selectors m(1) remote selectors: 16 bytes each, 40 of IPv6
)
CHILD_DOWN = 9  # SPI in(4) SPI out(4) reason(1) packets in(4) packets out(4) bytes in(8) bytes out(8)
ADDRESS = 10  # configuration attributes as in a CP payload: type(2) length(2) value
CLOSED = 11  # reason(1) notify(2) exchange(1) message ID(4) authenticated(1) detail
NEGOTIATING = 12  # role(1: 1 initiator) local endpoint(6) remote endpoint(6) connection name
PING = 13  # sequence(2) answered(1) round trip in ms(4) peer address(4) data length(2)
HEAP = 14  # bytes in use after a collection(4) bytes free(4)
LIVENESS = 15  # seconds of silence(4)
REJECT = 16  # reason(1) notify(2) detail: what an exchange refused, before the SA is closed
KEEPALIVE = 17  # remote endpoint(6)
GREETING = 18  # text: version and runtime
CONFIG_ERROR = 19  # text: key, tab, problem
COMMAND_ERROR = 20  # text
OFFER = 21  # ours(1) proposals as in an SA payload: printed when no proposal is common
PACKET = 22  # never traced: an inner packet for the application
FRAGMENT = 23  # out(1) exchange(1) response(1) message ID(4) number(2) of(2) length of the datagram(2)
CHILD_REKEYED = 24  # old SPI in(4) new SPI in(4) ours(1) collision(1: 0 none, 1 won, 2 lost)
IKE_REKEYED = 25  # number of the SA that replaces this one(2) ours(1) collision(1) its SPIs(16)
SELF_TEST = 30  # primitives that gave their known answers(1) milliseconds(4)
ENGINE_RETIRED = 31  # text: name of an accelerator that did not
SEED = 32  # reason(1): what was wrong with the stored seed
STOPPED = 33  # reason(1) detail: the appliance has ended
ADDRESS_CHANGED = 50  # old local endpoint(6) old remote endpoint(6) new local endpoint(6) new remote endpoint(6)
REAUTHENTICATED = 51  # number of the SA that replaces this one(2)
RECONNECT = 52  # milliseconds to the next attempt(4) its number(1) connection name
ENGINE_FAULT = 53  # code(1: uike/crypto/esp32/block) name: an accelerator failed, and software did its work
REDIRECTED = 60  # old gateway's endpoint(6) new gateway's endpoint(6)
CREDENTIALS = 70  # of a request for a certificate: DER; none: a certificate was installed
PROVISIONED = 73  # SHA-256 of what was stored(32)
ERASED = 74  # nothing: the store is empty
ADMIN_REFUSED = 75  # reason(1) wrong proofs so far(1)
DATAGRAM = 77  # only with trace_datagrams: out(1) local endpoint(6) remote endpoint(6) the UDP payload
KEYS = 79  # only with trace_keys: cipher(2) size(1) integrity(2) size(1) the two keys, see app/wiretap
INNER_PATH = 80  # our inner address(4) bytes that a packet may have in that tunnel(2)
RELAY_OPENED = 81  # relay(1: its place in the file) client endpoint(6) target endpoint(6)
RELAY_CLOSED = 82  # relay(1) client endpoint(6) reason(1) bytes from the client(4) bytes to the client(4)
RELAY_REFUSED = 83  # relay(1) reason(1) client endpoint(6)
BOOT = 85  # cause(1: machine.reset_cause) boots since the last good one(1) reason(1) detail: how the last run ended
NOT_STARTED = 86  # reason(1) gateway's name: an attempt that was not made
SAFE_MODE = 87  # boots since the last good one(1) strap pin(1)
UPDATE = 88  # step(1: 1 began, 2 on from the next boot, 3 proved itself) version of the application
STORE_FALLEN = 89  # name of a stored blob that was broken: the one before it was read

# States of an IKE SA (uike/ike/sa.py holds the table of legal moves)
STATE_IDLE = 0
STATE_INIT = 1
STATE_AUTH = 2
STATE_ESTABLISHED = 3
STATE_DELETING = 4
STATE_DEAD = 5

# States of a Child SA (uike/ike/create.py)
STATE_CHILD_INSTALLED = 0
STATE_CHILD_REKEYING = 1  # we are replacing it
STATE_CHILD_REKEYED = 2  # it was replaced, and its Delete is awaited
STATE_CHILD_DELETING = 3  # we are deleting it
STATE_CHILD_RETIRED = 4  # deleted on both sides; late packets are still taken

# States of a TCP connection (uike/net/tcp.py holds the table of moves)
STATE_TCP_CLOSED = 0
STATE_TCP_SYN_SENT = 1
STATE_TCP_SYN_RECEIVED = 2
STATE_TCP_ESTABLISHED = 3
STATE_TCP_FIN_WAIT_1 = 4
STATE_TCP_FIN_WAIT_2 = 5
STATE_TCP_CLOSE_WAIT = 6
STATE_TCP_CLOSING = 7
STATE_TCP_LAST_ACK = 8
STATE_TCP_TIME_WAIT = 9
