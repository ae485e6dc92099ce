"""States in which a side is to be proved by certificates, or by EAP: for the fuzzer. See `inputs.py`."""

from tests.ike import test_certificates, test_eap_server

_PATIENCE = {"retransmit_ms": 10_000_000}


def _until(wire, count):
    """The world once so many datagrams have passed on port 4500, and then no more."""
    passed = []

    def only(sender, datagram, port):
        passed.extend([port] if port == 4500 else [])
        return [datagram] if len(passed) <= count else []

    wire.filter = only
    return wire.connect()


def certified_initiator_in_auth():
    return _until(test_certificates.world(**_PATIENCE), 0), lambda wire: wire.board


def certified_responder_in_auth():
    return _until(test_certificates.world(**_PATIENCE), 0), lambda wire: wire.gateway


def eap_initiator():
    return _until(test_eap_server.world(**_PATIENCE), 2), lambda wire: wire.board


def eap_responder():
    return _until(test_eap_server.world(**_PATIENCE), 2), lambda wire: wire.gateway


STATES = [certified_initiator_in_auth, certified_responder_in_auth, eap_initiator, eap_responder]


def messages(state):
    """(exchange, response, first payload, plain chain) of every protected message of an honest session that begins so;
    what proves anything in it is zeros."""
    made = test_eap_server.world() if state in (eap_initiator, eap_responder) else test_certificates.world()
    wire = made.connect()
    for side in (wire.board, wire.gateway):
        for body in side.said("MESSAGE"):
            if body[0] and body[13]:
                header = body[16:]
                yield header[18], bool(header[19] & 0x20), header[16], header[28:]
