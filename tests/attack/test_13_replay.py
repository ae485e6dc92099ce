"""What was sent once means nothing when it comes again."""

from tests.attack.attacker import throw, up, works
from tests.ike.test_rekey import agree, rekey_child, rekey_ike
from uike import iana


def test_a_whole_session_again_and_again():
    wire = up()
    for step in (rekey_child, rekey_ike):
        for side in (wire.board, wire.gateway):
            assert works(wire)
            step(side)
            wire.settle()
            wire.run(wire.now + 25_000)
    before, found = agree(wire), list(wire.wire)
    for sender, datagram, port in found * 2:
        target = wire.gateway if sender == wire.board.address else wire.board
        throw(wire, target, datagram, port=port)
        assert target.collect() == [], "a packet was taken twice"
        target.endpoint.outgoing()
    wire.run(wire.now + 31_000)
    assert agree(wire) == before and works(wire)


def test_a_repeated_request_gets_the_same_answer():
    wire = up()
    asked = [
        row for row in wire.wire if row[2] == 4500 and row[0] == wire.board.address and row[1][22] == iana.IKE_AUTH
    ]
    answers = []
    for _ in range(3):
        throw(wire, wire.gateway, asked[0][1])
        answers += [bytes(datagram) for datagram, _, _ in wire.gateway.endpoint.outgoing()]
    assert len(answers) == 3 and len(set(answers)) == 1 and answers[0] == wire.wire[3][1]
