"""Runs the exchanges of an IKE SA (RFC 7296 sections 2.1 to 2.3): message IDs, retransmission, encryption.

An exchange is a generator. Ours yields requests, (exchange type, payloads), and is resumed with the response; it yields
None to say that this response did not count and that it goes on waiting. The peer's is a function that returns the
payloads of its response, or a generator that yields a response to be resumed with the next request, and returns the
last one. A payload is (type, body).
"""

import struct

from uike import event, iana, reason
from uike.ike import sk
from uike.transient import load
from uike.wire.address import pack
from uike.wire.message import HEADER, build, chain_size, notify
from uike.wire.refusal import Refusal

_WAITING_MAX = 8
_BACKOFF_MAX_MS = 30_000
_DELETE_TRIES = 3
_BELIEVED_TRIES = 2  # sendings after which a refusal that nobody signed is believed
_LONG_TRIES = 2  # sendings of long datagrams; later ones are of a size that every path carries
_IDS_MANY = 1 << 31  # message IDs after which the IKE SA is rekeyed
_IDS_END = 0xFFFFFFF0  # and after which it ends: what is under way still has a few, and none comes twice
_FRAGMENT_NUMBER = 33  # offset of its low byte: no message has more than 32
_LONG = 544  # bytes of an IKE message in the IP datagram that every path carries, 576

# The peer's requests, and who answers them: (exchange, state of the SA, transient module with respond(sa, request))
_ANSWERS = (
    (iana.IKE_SA_INIT, event.STATE_IDLE, "uike.ike.init"),
    (iana.IKE_AUTH, event.STATE_AUTH, "uike.ike.accept"),
    (iana.CREATE_CHILD_SA, event.STATE_ESTABLISHED, "uike.ike.answer"),
    (iana.CREATE_CHILD_SA, event.STATE_DELETING, "uike.ike.answer"),
    (iana.INFORMATIONAL, event.STATE_ESTABLISHED, "uike.ike.info"),
    (iana.INFORMATIONAL, event.STATE_DELETING, "uike.ike.info"),
)


def start(sa, task, now):
    """Starts one of our exchanges, or puts it behind the one that is running (our window is 1)."""
    if sa.task:
        if len(sa.waiting) < _WAITING_MAX:
            sa.waiting.append(task)
        return
    sa.task = task
    _resume(sa, None, now)


def _resume(sa, response, now):
    """Hands the response to our exchange. Returns True when it counted."""
    while sa.task:
        task = sa.task
        try:
            request = task.send(response)
        except StopIteration:
            request = None
            sa.request = sa.retransmit_at = sa.task = sa.secret = None
        except Refusal as refusal:
            sa.request = sa.retransmit_at = sa.task = None
            sa.endpoint.fail(sa, refusal, response, now)
            return True
        if request:
            _send_request(sa, request, now)
            return True
        if sa.task:
            return False
        if not sa.waiting:
            sa.endpoint.idle(sa)
            return True
        sa.task = sa.waiting.pop(0)
        response = None
    return True


def _send_request(sa, request, now):
    sa.exchange, payloads = request
    if sa.setup:
        sa.setup.refusal = None
    if sa.exchange == iana.IKE_SA_INIT:
        sa.request = [build(sa.spi_i, bytes(8), sa.exchange, iana.FLAG_INITIATOR, 0, payloads)]
        sa.setup.request = bytes(sa.request[0])
    else:
        sa.request = sk.seal(sa, sa.exchange, False, sa.send_id, payloads)
    _trace_sent(sa, sa.exchange, False, sa.send_id, payloads, sa.request)
    sa.tries = 0
    _transmit(sa, now)


def _transmit(sa, now):
    """Sends our request (again), and sets the time of the next try: doubled each time, up to a ceiling, and jittered
    by an eighth so that a room full of boards does not knock in step."""
    sa.tries += 1
    wait = min(sa.connection.retransmit_ms << (sa.tries - 1), max(_BACKOFF_MAX_MS, sa.connection.retransmit_ms))
    sa.retransmit_at = now + wait + sa.endpoint.random(1)[0] * wait // 2048
    sa.endpoint.send(sa, sa.request, now, sa.path)


def tick(sa, now):
    """Retransmits what is due; gives up after `retransmit_tries` sendings."""
    if sa.retransmit_at is None or now < sa.retransmit_at:
        return
    if sa.setup and sa.setup.refusal and sa.tries >= min(_BELIEVED_TRIES, sa.connection.retransmit_tries):
        sa.endpoint.fail(sa, sa.setup.refusal, None, now)
    elif sa.tries >= (_DELETE_TRIES if sa.state == event.STATE_DELETING else sa.connection.retransmit_tries):
        established = sa.state == event.STATE_ESTABLISHED
        sa.endpoint.fail(sa, Refusal(reason.PEER_DEAD if established else reason.NO_ANSWER), None, now)
    else:
        if sa.endpoint.trace:
            limit = sa.connection.retransmit_tries
            body = struct.pack(">BBBI", sa.tries, limit - 1, sa.exchange, sa.send_id)
            sa.endpoint.trace(event.RETRANSMIT, sa.number, body)
        if sa.tries == _LONG_TRIES and sa.fragment_size and len(sa.request[0]) > _LONG:
            load("uike.ike.fragment").split_again(sa)
        if sa.path and not sa.connection.initiator and sa.tries * 2 >= sa.connection.retransmit_tries:
            sa.path = None  # nobody answers there: the old address again
        _transmit(sa, now)


def on_response(sa, message, now):
    """A response came. Raises Refusal when it is to be dropped."""
    if sa.request is None or message.id != sa.send_id or message.exchange != sa.exchange:
        raise Refusal(reason.UNEXPECTED_RESPONSE)
    clear = message.exchange == iana.IKE_SA_INIT
    try:
        if clear:
            message.read(message.first, HEADER, len(message.buffer))
        elif not sk.open(sa, message):
            return
    except Refusal as refusal:
        if not message.authentic:
            raise
        sa.send_id += 1
        sa.request = sa.retransmit_at = sa.task = None  # it was the answer, and is of no use
        sa.endpoint.fail(sa, Refusal(refusal.reason, iana.INVALID_SYNTAX), message, now)
        return
    _heard(sa, message, now)
    if not clear:
        sa.send_id += 1
    pending, retransmit_at = sa.request, sa.retransmit_at
    sa.retransmit_at = None
    if not _resume(sa, message, now):
        sa.request, sa.retransmit_at = pending, retransmit_at
    _count_ids(sa, sa.send_id, now)


def on_request(sa, message, now):
    """A request came. Raises Refusal when it is to be dropped; what the peer is to be told of goes into a response."""
    clear = message.exchange == iana.IKE_SA_INIT
    if clear and sa.state != event.STATE_IDLE:
        raise Refusal(reason.WRONG_EXCHANGE)
    if message.id != sa.receive_id:
        if message.id + 1 != sa.receive_id or not sa.last_response:
            raise Refusal(reason.WRONG_MESSAGE_ID)
        sk.unlock(sa, message)
        if message.first == iana.SKF and message.buffer[_FRAGMENT_NUMBER] != 1:
            raise Refusal(reason.FRAGMENT_REPEATED)  # the first one speaks for all (RFC 7383 section 2.6.1)
        sa.endpoint.send(sa, sa.last_response, now, message)
        raise Refusal(reason.RETRANSMITTED_REQUEST)
    refusal = None
    payloads = []
    try:
        if clear:
            message.read(message.first, HEADER, len(message.buffer))
        elif not sk.open(sa, message):
            return
        _heard(sa, message, now)
        payloads = _answer(sa, message)
    except Refusal as caught:
        if not caught.notify or not (clear or message.authentic):
            raise
        refusal = caught
        telling = caught.notify in (  # these have data
            iana.INVALID_KE_PAYLOAD,
            iana.UNSUPPORTED_CRITICAL_PAYLOAD,
            iana.REDIRECT,
        )
        payloads = [notify(caught.notify, caught.data if telling else b"")]
        if clear and HEADER + chain_size(payloads) > len(message.buffer):
            raise  # no answer to a stranger is longer than its cause
    _send_response(sa, message, payloads, now)
    if refusal:
        sa.endpoint.fail(sa, refusal, message, now)
    else:
        sa.endpoint.answered(sa, now)


def _heard(sa, message, now):
    """A message is authentic and new; or it is IKE_SA_INIT, which begins everything."""
    trace_received(sa, message)
    sa.heard_at = now
    sa.endpoint.follow(sa, message.local, message.remote)


def _answer(sa, message):
    """Payloads of the response: from the exchange that is running, or from the one that the table names."""
    if sa.answering:
        task = sa.answering
    else:
        for exchange, state, module in _ANSWERS:
            if exchange == message.exchange and state == sa.state:
                break
        else:
            raise Refusal(reason.WRONG_EXCHANGE, iana.INVALID_SYNTAX)
        task = load(module).respond(sa, message)
        if type(task) is list:
            return task
        message = None
    sa.answering = None
    try:
        payloads = task.send(message)
        sa.answering = task
    except StopIteration as stop:
        payloads = stop.value
    return payloads


def _send_response(sa, message, payloads, now):
    if message.exchange == iana.IKE_SA_INIT:
        refused = payloads[0][0] == iana.N  # nothing is kept of an SA that was refused here
        spi_r = bytes(8) if refused else sa.spi_r
        response = [build(sa.spi_i, spi_r, message.exchange, iana.FLAG_RESPONSE, 0, payloads)]
        sa.setup.request, sa.setup.response = bytes(message.buffer), bytes(response[0])
    else:
        response = sk.seal(sa, message.exchange, True, message.id, payloads)
    _trace_sent(sa, message.exchange, True, message.id, payloads, response)
    sa.last_response = response
    sa.receive_id = message.id + 1
    sa.endpoint.send(sa, response, now, message)  # to where the request came from (section 2.11)
    _count_ids(sa, sa.receive_id, now)


def _count_ids(sa, count, now):
    """Message IDs never wrap (section 2.2): the IKE SA is rekeyed halfway, and ends before the last."""
    if sa.state == event.STATE_ESTABLISHED:
        if count == _IDS_MANY:
            sa.rekey_at = now
        elif count == _IDS_END:
            sa.endpoint.end(sa, Refusal(reason.MESSAGE_IDS_EXHAUSTED), None, True)


def trace_received(sa, message):
    """Traces a message that came in, its payloads in the clear, but AUTH data and tokens withheld."""
    if sa.endpoint.trace:
        view = memoryview(message.buffer)
        payloads = [(kind, view[start:end]) for kind, start, end in message.payloads]
        _trace(sa, message, message.exchange, message.buffer[19], message.id, payloads, len(message.buffer))


def _trace_sent(sa, exchange, response, message_id, payloads, datagrams):
    if sa.endpoint.trace:
        size = len(datagrams[0]) if len(datagrams) == 1 else HEADER + chain_size(payloads)
        flags = (iana.FLAG_INITIATOR if sa.initiator else 0) | (iana.FLAG_RESPONSE if response else 0)
        _trace(sa, None, exchange, flags, message_id, payloads, size)


def _trace(sa, received, exchange, flags, message_id, payloads, size):
    source = received or sa  # the message itself knows best where it came from
    shown = []
    try:
        for kind, body in payloads:
            # MACs made with the PSK: whoever reads one can try passwords against it; a token, which would end the SA
            told = kind == iana.N and body[2] << 8 | body[3]
            if kind in (iana.AUTH, iana.EAP) or told in (iana.QUICK_CRASH_DETECTION, iana.NO_PPK_AUTH):
                body = bytes(body[:4]) + bytes(len(body[4:]))  # it may be shorter
            shown.append((kind, body))
        plain = build(source.spi_i, source.spi_r, exchange, flags, message_id, shown)
        head = pack_where(source.local) + pack_where(source.remote)
        plain[0:0] = bytes((received is None,)) + head + struct.pack(">BH", exchange != iana.IKE_SA_INIT, size)
        sa.endpoint.trace(event.MESSAGE, sa.number, plain)
    except MemoryError:  # a message with certificates is long: it goes on its way all the same
        sa.endpoint.drop(reason.NO_MEMORY)


def pack_where(where):
    """An (address, port) as the trace carries it, six bytes."""
    return pack(where[0]) + struct.pack(">H", where[1])
