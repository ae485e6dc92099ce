"""The rest of power-on: the engine, the sockets and the relays of an appliance. For `uike.app.run`; then dropped."""


def start(appliance, parts, relays):
    """Not before the tests of `boot` have gone from memory: code is RAM. What is imported here stays."""
    from uike.endpoint import Endpoint

    board = appliance.board
    endpoint = appliance.endpoint = Endpoint(*parts)
    endpoint.clock, endpoint.store = board.clock, board.store
    board.udp.open((500, 4500))
    if relays:
        from uike.app.relay import Relays

        Relays(appliance, relays)
