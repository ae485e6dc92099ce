"""Inputs of the fuzzer: bytes that say in which state a side is, and what arrives there.

    state(1) kind(1) rest

`kind` says what the rest is: a datagram as it is, for either port; or what a peer with the keys sends, sealed here:

    RAW       datagram
    MESSAGE   first payload type(1), plaintext         RESPONSE and the exchange are bits of the kind
    FRAGMENT  the same, then number(1), total(1) before the plaintext
    ESP       Next Header(1), what the Pad Length is wrong by(1), inner packet
"""

from tests.attack.attacker import sealed, sealed_esp, throw, unproved
from tests.fuzz import proving, test_receive
from tests.ike.test_fragment import Sender

STATES = [*test_receive.STATES, *proving.STATES]
RAW, MESSAGE, FRAGMENT, ESP = range(4)
PORT_500 = RESPONSE = 4  # of RAW, of a message
EXCHANGE = 3  # bits to shift IKE_AUTH - 35, ... by


def make(state, kind, rest, flag=0, exchange=35):
    """An input; `state` is one of STATES."""
    return bytes((STATES.index(state), kind | flag | exchange - 34 << EXCHANGE)) + bytes(rest)


def play(data):
    """One input: nothing raises, there is no error of ours, and nobody comes in unproved. Returns the World."""
    if len(data) < 3:
        return None
    wire, pick = STATES[data[0] % len(STATES)]()
    side = pick(wire)
    other = wire.gateway if side is wire.board else wire.board
    kind, flag, exchange = data[1] & 3, data[1] & RESPONSE, 34 + (data[1] >> EXCHANGE & 3)
    keys = other.endpoint.sas and other.sa.seal and side.endpoint.sas
    if kind == ESP and keys and other.sa.children:
        size = -len(data[4:]) - 2 & 15
        tail = bytes(range(1, size + 1)) + bytes((size ^ data[3] if len(data) > 3 else 0, data[2]))
        throw(wire, side, sealed_esp(other.sa.children[0], data[4:], tail=tail))
    elif kind == FRAGMENT and keys and other.sa.fragment_size and len(data) > 5:
        number = side.sa.send_id if flag else side.sa.receive_id
        cut = Sender(wire, side).fragment(data[3], data[4], data[5:], data[2], number, exchange, flag)
        throw(wire, side, bytes(4) + cut)
    elif kind == MESSAGE and keys:
        number = side.sa.send_id if flag else side.sa.receive_id
        throw(wire, side, sealed(other.sa, exchange, bool(flag), number, data[2], data[3:]))
    else:
        throw(wire, side, data[2:], port=500 if flag else 4500)
    assert not wire.internal_errors() and unproved(wire)
    return wire
