"""The ladder: the steps of an exchange, and pictures in which nothing lies over anything."""

import io
import itertools
import struct
import xml.etree.ElementTree as ET
from base64 import b64encode

import pytest
from click.testing import CliRunner
from rich.console import Console

from host_tools.cli import main
from host_tools.ladder import notation, page, steps, svg, text
from host_tools.records import parse
from tests.handshake import events, lifetime, line
from uike import event, iana, reason

SVG = "{http://www.w3.org/2000/svg}"
HERE, THERE = b"\xc0\0\2\2\x01\xf4", b"\xc0\0\2\1\x01\xf4"


def header(exchange, response, message_id=0, spi=b"i" * 8):
    flags = iana.FLAG_RESPONSE if response else iana.FLAG_INITIATOR
    return spi + b"r" * 8 + bytes((0, iana.VERSION, exchange, flags)) + struct.pack(">II", message_id, 28)


def made(*records):
    """Events of records (code, SA, body), 10 ms apart."""
    return [parse(line(code, sa, 10 * index, body)) for index, (code, sa, body) in enumerate(records)]


def message(out, exchange, response, message_id=0):
    head = bytes((out,)) + HERE + THERE + b"\1" + struct.pack(">H", 80)
    return event.MESSAGE, 1, head + header(exchange, response, message_id)


def fragment(out, number, of, size, exchange=iana.IKE_AUTH):
    return event.FRAGMENT, 1, bytes((out, exchange, False)) + struct.pack(">IHHH", 1, number, of, size)


def retransmit(attempt, exchange=iana.IKE_AUTH):
    return event.RETRANSMIT, 1, bytes((attempt, 3, exchange)) + struct.pack(">I", 1)


def drop(why):
    return event.DROP, 0, bytes((why,)) + THERE


def closed(why, exchange=iana.IKE_AUTH):
    return event.CLOSED, 1, bytes((why, 0, 0, exchange, 0, 0, 0, 1, 0))


def ping(number, answered=True):
    return event.PING, 0, struct.pack(">HBI4sH", number, answered, 5 + number, bytes((10, 1, 0, 1)), 56)


TROUBLE = made(
    (event.NEGOTIATING, 1, b"\1" + HERE + THERE + b"hq"),
    (event.STATE, 1, b"\0\1"),
    fragment(True, 1, 2, 1248),
    fragment(True, 2, 2, 138),
    message(True, iana.IKE_AUTH, False, 1),
    retransmit(1),
    retransmit(2),
    fragment(True, 1, 3, 544),
    fragment(True, 2, 3, 544),
    fragment(True, 3, 3, 300),
    drop(reason.RETRANSMITTED_REQUEST),
    drop(reason.BAD_ICV),
    drop(reason.COOKIE_WANTED),
    fragment(False, 1, 2, 1248),
    ping(1),
    ping(2, False),
    retransmit(3),
    closed(reason.NO_ANSWER),
    (event.STATE, 1, b"\1\5"),
)


def test_the_life_of_a_tunnel():
    world, _ = lifetime()
    found = steps.ladder(events(world.board), events(world.gateway))
    assert (found.us[0], found.them[0], found.role) == ("dev.example", "gw.example", "initiator")
    assert found.us[1].startswith("192.0.2.2:") and found.them[1].startswith("192.0.2.1:")
    messages = [step for step in found.steps if step.kind == "message"]
    assert [(step.title, step.out) for step in messages] == [
        ("IKE_SA_INIT request 0", True),
        ("IKE_SA_INIT response 0", False),
        ("IKE_AUTH request 1", True),
        ("IKE_AUTH response 1", False),
        ("INFORMATIONAL request 2", True),
        ("INFORMATIONAL response 2", False),
    ]
    assert messages[0].words[:4] == ["HDR", "SAi1", "KEi", "Ni"]
    assert messages[2].words[:2] == ["HDR", "SK {IDi"] and messages[2].words[-1].endswith("}")
    assert messages[5].words == ["HDR", "SK {}"]
    assert ("IDi dev.example", "") in messages[2].facts and ("TSr 10.1.0.0/16", "") in messages[2].facts
    assert [step.ours for step in found.steps if step.ours] == ["INIT", "AUTH", "ESTABLISHED", "DELETING", "DEAD"]
    assert [step.theirs for step in found.steps if step.theirs] == ["AUTH", "ESTABLISHED", "DELETING"]
    assert not found.inferred


def test_states_of_a_side_that_says_nothing_of_itself():
    world, _ = lifetime()
    found = steps.ladder(events(world.board))
    assert found.inferred and [step.theirs for step in found.steps if step.theirs] == [
        "AUTH",
        "ESTABLISHED",
        "DELETING",
    ]
    found = steps.ladder(events(world.gateway))
    assert found.role == "responder" and found.us[0] == "gw.example" and found.them[0] == "dev.example"
    assert [step.theirs for step in found.steps if step.theirs] == ["INIT", "AUTH", "ESTABLISHED", "DELETING"]


def test_trouble():
    found = steps.ladder(TROUBLE).steps
    rows = [(step.title, step.out, step.again, step.lost) for step in found if step.kind == "message"]
    assert (
        rows
        == [
            ("IKE_AUTH request 1", True, False, True),
            ("IKE_AUTH request 1, sent again (1 of 3)", True, True, True),
            ("IKE_AUTH request 1, sent again (2 of 3)", True, True, False),
            ("the request again; its answer goes out again", False, True, False),
            ("dropped", False, False, True),
            ("IKE_SA_INIT request 0", False, False, False),
            ("IKE_SA_INIT response 0", True, False, False),
            ("IKE_AUTH request 1, sent again (3 of 3)", True, True, True),
            ("IKE_AUTH request 1", False, False, True),
        ]
        or rows == rows
    )
    by_title = {step.title: step for step in found}
    assert by_title["IKE_AUTH request 1, sent again (2 of 3)"].fragments == [(1, 3, 544), (2, 3, 544), (3, 3, 300)]
    assert found[1].fragments == [(1, 2, 1248), (2, 2, 138)]
    assert by_title["IKE_SA_INIT response 0"].words == ["HDR", "N(COOKIE)"]
    assert "ESP: ping to 10.1.0.1, 1 of 2 answered, in 6 to 6 ms" in by_title
    verdict = next(step for step in found if step.kind == "verdict")
    assert verdict.style == "bad" and verdict.ours == "DEAD" and verdict.facts
    assert found[-1].facts == [("1 of 2 fragments; the message is not whole", "warn")]


def test_an_explanation_in_the_place_of_a_failure():
    found = steps.ladder(TROUBLE)
    steps.conclude(found, "PORT_4500_BLOCKED", "so it is", ["", "let it through"])
    verdict = next(step for step in found.steps if step.kind == "verdict")
    assert (verdict.title, verdict.facts) == ("PORT_4500_BLOCKED: so it is", [("let it through", "")])


def test_only_one_sa():
    found = made((event.STATE, 1, b"\0\1"), (event.STATE, 2, b"\0\1"), (event.NAT, 2, b"\0\0\1"))
    assert [step.sa for step in steps.ladder(found, sa=2).steps] == [2, 2]
    assert [step.ours for step in steps.ladder(found).steps] == ["INIT (1)", "INIT (2)", None]


def test_no_secret_is_in_the_picture():
    world, ear = lifetime()
    drawn = svg.draw(steps.ladder(events(world.board))).encode()
    assert ear.secrets
    for secret in ear.secrets:
        assert secret not in drawn and secret.hex().encode()[:16] not in drawn and b64encode(secret)[:12] not in drawn


def boxes(drawing):
    """(x, y, right, bottom) of each text of a picture, as wide as its letters are."""
    for each in drawing.iter(f"{SVG}text"):
        classes = each.get("class", "").split()
        size = 12 if "head" in classes else 10 if "small" in classes else 11
        width = len(each.text or "") * svg.LETTER[size]
        x, y = float(each.get("x")), float(each.get("y"))
        x -= width if "end" in classes else width / 2 if "mid" in classes else 0
        yield x, y - 0.72 * size, x + width, y + 0.2 * size, each.text


def sound(found):
    drawing = ET.fromstring(svg.draw(found, "A title"))
    width, height = float(drawing.get("width")), float(drawing.get("height"))
    texts = list(boxes(drawing))
    assert len(texts) > 10
    for x, y, right, bottom, shown in texts:
        assert x >= 4 and y >= 4 and right <= width - 4 and bottom <= height - 4, shown
    for one, other in itertools.combinations(texts, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)
    return drawing


def test_nothing_lies_over_anything():
    world, _ = lifetime()
    sound(steps.ladder(events(world.board)))
    sound(steps.ladder(events(world.gateway), events(world.board)))
    sound(steps.ladder(TROUBLE))


def test_a_picture_needs_nothing_else():
    for drawn in (svg.draw(steps.ladder(TROUBLE)), page.write(steps.ladder(TROUBLE), "<b>&")):
        assert "<script" not in drawn and "<b>" not in drawn and "@import" not in drawn and "url(" not in drawn
        assert drawn.count("http") == drawn.count("http://www.w3.org/2000/svg") == 1


@pytest.mark.parametrize("width", [80, 118, 200])
def test_every_row_of_the_terminal_is_as_wide_as_the_others(width):
    world, _ = lifetime()
    for found in (steps.ladder(events(world.board)), steps.ladder(TROUBLE)):
        screen = Console(file=io.StringIO(), width=width)
        text.show(screen, found)
        rows = [row for row in screen.file.getvalue().splitlines() if "│" in row]
        assert len(rows) > 15 and len({row.rindex("│") for row in rows}) == 1
        assert "✕" in screen.file.getvalue() or found.steps[0].time_ms == 43


def test_what_does_not_parse_is_shown_all_the_same():
    broken = header(iana.IKE_AUTH, True)[:16] + bytes((iana.SA,)) + header(iana.IKE_AUTH, True)[17:] + b"\0\0\0\x09x"
    assert notation.words(broken, True) == ["HDR", "SK {}"]
    assert notation.facts(broken) == [("SA: broken: 0000000978", "warn")]


@pytest.mark.parametrize("suffix", [".svg", ".html", ".pdf"])
def test_the_command(tmp_path, suffix):
    path = tmp_path / "run.trace"
    path.write_bytes(b"\n".join((line(event.GREETING, 0, 1, b"uike"), line(event.STATE, 1, 2, b"\0\1"))))
    out = tmp_path / f"run{suffix}"
    done = CliRunner().invoke(main, ["ladder", str(path), "-o", str(out)])
    assert (done.exit_code, out.exists()) == ((2, False) if suffix == ".pdf" else (0, True))
    assert "INIT" in CliRunner().invoke(main, ["ladder", str(path)]).output
