"""python -m tests.fuzz SECONDS: atheris, guided by coverage, over `receive` in every state that a handshake reaches.

The first byte of an input chooses the state, the second one what the rest is: a datagram as it is, or the plaintext of
a message that a peer with the keys sends.
"""

import sys

import atheris

with atheris.instrument_imports(include=["uike"]):
    import uike.endpoint  # noqa: F401
    import uike.ike.accept  # noqa: F401
    import uike.ike.answer  # noqa: F401
    import uike.ike.info  # noqa: F401
    import uike.ike.init  # noqa: F401
    import uike.ike.join  # noqa: F401
    import uike.ike.reassembly  # noqa: F401
    from tests.attack.attacker import sealed, throw, unproved
    from tests.fuzz.test_receive import STATES, recorded_plaintext, samples


def one(data):
    """One input: nothing raises, there is no error of ours, and nobody comes in unproved."""
    if len(data) < 3:
        return
    wire, pick = STATES[data[0] % len(STATES)]()
    side = pick(wire)
    other = wire.gateway if side is wire.board else wire.board
    kind = data[1]
    if kind & 1 and other.endpoint.sas and other.sa.seal and side.endpoint.sas:
        response = bool(kind & 2)
        number = side.sa.send_id if response else side.sa.receive_id
        throw(wire, side, sealed(other.sa, 34 + (kind >> 2 & 3), response, number, data[2], data[3:]))
    else:
        throw(wire, side, data[2:], port=500 if kind & 2 else 4500)
    assert not wire.internal_errors() and unproved(wire)


def seeds():
    """Inputs to begin with: the messages of an honest session."""
    for state in range(len(STATES)):
        for datagram in samples():
            yield bytes((state, 0)) + datagram
        for exchange, response, first, inside in recorded_plaintext():
            kind = 1 | response << 1 | (exchange - 34 & 3) << 2
            yield bytes((state, kind, first)) + bytes(inside)


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="uike-fuzz-"))
    for number, data in enumerate(seeds()):
        (folder / f"seed-{number:03}").write_bytes(data)
    options = [f"-max_total_time={sys.argv[1]}", "-max_len=2048", "-verbosity=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(folder)], one)
    atheris.Fuzz()
