"""Cookies (RFC 7296 section 2.6): an initiator sends back what it was given, so many times and no more."""

import pytest

from tests.world import BOARD, GATEWAY, World, connection
from uike import iana
from uike.wire import message


class Asking:
    """Stands in the wire and answers IKE_SA_INIT requests: with a cookie, or with a group, a number."""

    def __init__(self, world, cookies):
        self.world, self.cookies, self.seen = world, list(cookies), []
        self.groups, self.kept = [], set()

    def ask(self):
        """Takes the board's next datagram; True when it was answered with a cookie."""
        ((data, remote, port),) = self.world.board.endpoint.outgoing()
        request = message.Message(bytearray(data))
        request.read(request.first, message.HEADER, len(data))
        self.seen.append((request.notify(iana.COOKIE), request.payloads[0][0], request.id))
        self.groups.append(int.from_bytes(request.body(iana.KE)[:2], "big"))
        self.kept.add((request.body(iana.SA), request.body(iana.NONCE), request.spi_i, request.spi_r))
        if not self.cookies:
            self.world.gateway.endpoint.receive(bytearray(data), (GATEWAY, port), (BOARD, port), 0)
            return False
        said = self.cookies.pop(0)
        asks = message.notify(iana.INVALID_KE_PAYLOAD, bytes((0, said))) if type(said) is int else None
        payloads = [asks or message.notify(iana.COOKIE, said)]
        answer = message.build(request.spi_i, bytes(8), iana.IKE_SA_INIT, iana.FLAG_RESPONSE, 0, payloads)
        self.world.board.endpoint.receive(bytearray(answer), (BOARD, port), remote, 0)
        return True


def connecting(cookies, **changes):
    world = World(connection(True, **changes), connection(False, **changes))
    board = world.board.endpoint
    board.connect(board.connections[0], BOARD, GATEWAY, 0)
    return world, Asking(world, cookies)


@pytest.mark.parametrize("cookies", [[b"c" * 20], [b"c"], [b"first" * 4, b"second" * 10]])
def test_the_request_is_repeated_with_the_cookie_in_front(cookies):
    # HDR(A,0), SAi1, KEi, Ni  -->
    #                          <--  HDR(A,0), N(COOKIE)
    # HDR(A,0), N(COOKIE), SAi1, KEi, Ni  -->
    world, asking = connecting(cookies)
    while asking.ask():
        pass
    world.settle()
    assert [seen[0] for seen in asking.seen] == [None, *cookies]
    assert asking.seen[0][1] == iana.SA and all(seen[1:] == (iana.N, 0) for seen in asking.seen[1:])
    assert len(world.board.endpoint.sad.outbound) == 1


GROUPS = ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0), (4, 19, 0))


@pytest.mark.parametrize(
    ("answers", "cookies", "groups"),
    [
        ([b"cookie", 19], [None, b"cookie", b"cookie"], [31, 31, 19]),
        ([19, b"cookie"], [None, None, b"cookie"], [31, 19, 19]),
        ([b"one", 19, b"two"], [None, b"one", b"one", b"two"], [31, 31, 19, 19]),
        ([b"one", b"two", 19], [None, b"one", b"two", b"two"], [31, 31, 31, 19]),
        ([b"one", 19, b"one"], [None, b"one", b"one", b"one"], [31, 31, 19, 19]),
        ([19, b"one", 31, b"two"], [None, None, b"one", b"one", b"two"], [31, 19, 19, 31, 31]),
    ],
    ids=str,
)
def test_a_cookie_and_another_group_in_either_order(answers, cookies, groups):
    # section 2.6.1: the cookie goes along, in front; who asks for it again is answered; all else stays as it was
    # HDR(A,0), SAi1, KEi, Ni  -->                          <--  HDR(A,0), N(COOKIE)
    # HDR(A,0), N(COOKIE), SAi1, KEi, Ni  -->               <--  HDR(A,0), N(INVALID_KE_PAYLOAD)
    # HDR(A,0), N(COOKIE), SAi1, KEi', Ni  -->              <--  HDR(A,B), SAr1, KEr, Nr
    world, asking = connecting(answers, proposals=(GROUPS,))
    world.gateway.endpoint.connections[0].proposals = (GROUPS[:3] + ((4, groups[-1], 0),),)
    while asking.ask():
        pass
    world.settle()
    assert [seen[0] for seen in asking.seen] == cookies and asking.groups == groups and len(asking.kept) == 1
    assert all(seen[1:] == (iana.N if seen[0] else iana.SA, 0) for seen in asking.seen)
    assert len(world.board.endpoint.sad.outbound) == 1 and not world.board.closed()


def test_cookies_without_end():
    world, asking = connecting([bytes([n]) * 8 for n in range(1, 40)])
    rounds = 0
    while world.board.endpoint.out and rounds < 40:
        asking.ask()
        rounds += 1
    assert rounds == 5 and not world.board.closed()  # a true answer would still count
    world.gateway.endpoint.connections.clear()
    world.run(20_000)
    assert world.board.closed() == ["COOKIE_LOOP"]


def test_an_empty_cookie_is_none():
    world, asking = connecting([b""])
    asking.ask()
    assert world.board.dropped() == ["PAYLOAD_MISSING"] and not world.board.closed()
