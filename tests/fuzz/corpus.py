"""python -m tests.fuzz.corpus: writes `tests/fuzz/corpus/`, what the fuzzer begins with and `test_corpus.py` replays.

`handshake.txt` has the messages of an honest session, in every state, `proving.txt` those with certificates and with EAP,
`regressions.txt` what was once answered wrongly.
A line is a name, without spaces, and an input (`tests/fuzz/inputs.py`) in hexadecimal. Everything comes from seeds, so
the same sources write the same files. To add what a run of `make fuzz` found, put it into REGRESSIONS.
"""

from pathlib import Path

from tests.attack.attacker import chain
from tests.fuzz import inputs, proving
from tests.fuzz.test_receive import (
    STATES,
    established_initiator,
    established_responder,
    idle,
    initiator_in_auth,
    recorded_plaintext,
    responder_in_auth,
    samples,
)
from uike import iana
from uike.wire.message import build, notify

FOLDER = Path(__file__).with_name("corpus")
SIZE_MAX = 100_000  # bytes of all files
NAMES = {34: "init", 35: "auth", 36: "create", 37: "informational"}
WITH_KEYS = [initiator_in_auth, responder_in_auth, established_initiator, established_responder]


def handshake():
    """(name, input) of an honest session's datagrams and messages, and of one of its packets."""
    for state in STATES:
        for number, datagram in enumerate(samples()):
            flag = 0 if datagram[:4] == bytes(4) or datagram[16:18] != b"\x21\x20" else inputs.PORT_500
            yield f"{state.__name__}-datagram-{number}", inputs.make(state, inputs.RAW, datagram, flag)
    for state in WITH_KEYS:
        for number, (exchange, response, first, inside) in enumerate(recorded_plaintext()):
            flag = inputs.RESPONSE if response else 0
            name = f"{state.__name__}-{NAMES[exchange]}-{('request', 'response')[response]}-{number}"
            yield name, inputs.make(state, inputs.MESSAGE, bytes((first,)) + inside, flag, exchange)
            half = len(inside) // 2
            for part, body in enumerate((inside[:half], inside[half:]), 1):
                rest = bytes((first, part, 2)) + body
                yield f"{name}-part-{part}", inputs.make(state, inputs.FRAGMENT, rest, flag, exchange)
    inner = bytes.fromhex("4500001c000000004001a5dd0a0900010a0100010800f7ff00000000")
    for state, packet in (
        (established_responder, inner),
        (established_initiator, inner[:12] + inner[16:20] + inner[12:16]),
    ):
        yield f"{state.__name__}-esp", inputs.make(state, inputs.ESP, b"\4\0" + packet)


def proofs():
    """(name, input) of an honest session's messages where certificates or EAP prove who is there."""
    for state in proving.STATES:
        for number, (exchange, response, first, inside) in enumerate(proving.messages(state)):
            flag = inputs.RESPONSE if response else 0
            name = f"{state.__name__}-{NAMES[exchange]}-{('request', 'response')[response]}-{number}"
            yield name, inputs.make(state, inputs.MESSAGE, bytes((first,)) + inside, flag, exchange)


def in_auth(role, wanted, body, kind=iana.AUTH):
    """The honest message of IKE_AUTH in which one payload has that body."""
    for exchange, response, first, inside in recorded_plaintext():
        if exchange == iana.IKE_AUTH and response == wanted:
            payloads = [(each, body if each == kind else own) for each, own in split_plain(first, inside)]
            flag = inputs.RESPONSE if response else 0
            return inputs.make(role, inputs.MESSAGE, bytes((first,)) + chain(payloads), flag, exchange)
    raise LookupError("IKE_AUTH")


def split_plain(first, inside):
    """(type, body) of a chain."""
    at = 0
    while first:
        size = int.from_bytes(inside[at + 2 : at + 4], "big")
        yield first, bytes(inside[at + 4 : at + size])
        first, at = inside[at], at + size


def clear(payloads):
    return build(b"attacker", bytes(8), iana.IKE_SA_INIT, iana.FLAG_INITIATOR, 0, payloads)


def critical():
    """An unknown payload of no bytes, with its critical bit."""
    data = clear([(200, b"")])
    data[29] = 0x80
    return data


REGRESSIONS = [
    *[(f"auth-payload-of-{size}-bytes-{role.__name__}", in_auth(role, response, b"\2\0\0"[:size]))
      for size in range(4) for role, response in ((responder_in_auth, False), (initiator_in_auth, True))],
    ("answer-longer-than-a-header-alone", inputs.make(idle, inputs.RAW, clear([]), inputs.PORT_500)),
    ("answer-longer-than-a-critical-payload", inputs.make(idle, inputs.RAW, critical(), inputs.PORT_500)),
    ("nat-detection-of-no-bytes", inputs.make(idle, inputs.RAW, clear(
        [notify(iana.NAT_DETECTION_SOURCE_IP), notify(iana.NAT_DETECTION_DESTINATION_IP)]), inputs.PORT_500)),
]  # fmt: skip


def read():
    """{name: input} of every file in the repository."""
    found = {}
    for path in sorted(FOLDER.glob("*.txt")):
        for line in path.read_text().splitlines():
            name, data = line.split(" ")
            assert name not in found, name
            found[name] = bytes.fromhex(data)
    return found


def write():
    FOLDER.mkdir(exist_ok=True)
    for name, rows in (("handshake", handshake()), ("proving", proofs()), ("regressions", REGRESSIONS)):
        text = "".join(f"{each} {data.hex()}\n" for each, data in rows)
        (FOLDER / f"{name}.txt").write_text(text)
    print(f"{len(read())} inputs, {sum(path.stat().st_size for path in FOLDER.iterdir())} bytes")


if __name__ == "__main__":
    write()
