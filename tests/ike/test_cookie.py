"""Cookies (RFC 7296 section 2.6): an initiator sends back what it was given, so many times and no more."""

import pytest

from tests.world import BOARD, GATEWAY, World
from uike import iana
from uike.wire import message


class Asking:
    """Stands in the wire and answers IKE_SA_INIT requests that carry no acceptable cookie."""

    def __init__(self, world, cookies):
        self.world, self.cookies, self.seen = world, list(cookies), []

    def ask(self):
        """Takes the board's next datagram; True when it was answered with a cookie."""
        ((data, remote, port),) = self.world.board.endpoint.outgoing()
        request = message.Message(bytearray(data))
        request.read(request.first, message.HEADER, len(data))
        self.seen.append((request.notify(iana.COOKIE), request.payloads[0][0], request.id))
        if not self.cookies:
            self.world.gateway.endpoint.receive(bytearray(data), (GATEWAY, port), (BOARD, port), 0)
            return False
        payloads = [message.notify(iana.COOKIE, self.cookies.pop(0))]
        answer = message.build(request.spi_i, bytes(8), iana.IKE_SA_INIT, iana.FLAG_RESPONSE, 0, payloads)
        self.world.board.endpoint.receive(bytearray(answer), (BOARD, port), remote, 0)
        return True


def connecting(cookies):
    world = World()
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
