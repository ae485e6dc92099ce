"""The rest of power-on: the engine, the sockets and the relays of an appliance. For `uike.app.run`; then dropped."""

from uike.transient import drop, load


def start(appliance, parts, relays):
    """Not before the tests of `boot` have gone from memory: code is RAM. What is imported here stays."""
    at_rest = relays and not [row for row in relays if row[2:4] != ("lan", "tcp")]
    if at_rest:
        for name in ("uike.app.relay", "uike.net.connections"):
            load(name)  # once: the table of names doubles by it, and wants one piece of the heap
        drop()
    from uike.endpoint import Endpoint

    board = appliance.board
    endpoint = appliance.endpoint = Endpoint(*parts)
    endpoint.clock, endpoint.store = board.clock, board.store
    board.udp.open((500, 4500))
    if at_rest:
        from uike.app.doorway import Doorway

        Doorway(appliance, relays)
    elif relays:
        from uike.app.relay import Relays

        Relays(appliance, relays)
