"""The link: each request is done once and its answer comes whole, whatever the line does to the bytes."""

import random
from hashlib import sha256
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools import link as host
from uike.app import link

NOISE = (
    b"#AAAA\r\n",
    b"ets Jun  8 2016 00:22:57\r\n",
    b"rst:0x1 (POWERON_RESET)\r\n",
    b"@",
    b"\n",
    b"@@@AAAA\n",
    b"x" * 300,
)


class Line:
    """Both directions of a serial line in virtual time, and a board at its end that has only what `link` asks of it."""

    def __init__(self, seed=1, corrupt=0.0, lose=0.0, double=0.0, chatter=0.0, ring=260):
        self.random = random.Random(seed)
        self.rates = corrupt, lose, double, chatter
        self.ring = ring
        self.now = 0.0
        self.to_host = b""
        self.to_board = b""
        self.done = []  # requests that the board did
        self.longest = 0
        self.switch_on()

    def switch_on(self):
        console = SimpleNamespace(write=lambda line: self._print(line + b"\r\n"))
        self.board = SimpleNamespace(session=None, board=SimpleNamespace(name="fake", console=console))

    def write(self, data):
        self.longest = max(self.longest, len(data))
        self.to_board += self._spoil(data)
        *lines, self.to_board = self.to_board.replace(b"\r", b"\n").split(b"\n")
        self.to_board = self.to_board[-self.ring :]
        for line in lines:
            if line and len(line) <= 1024:
                self._board_takes(line)

    def read(self, timeout_s):
        data, self.to_host = self.to_host, b""
        self.now += 0.01 if data else timeout_s
        return data

    def _board_takes(self, line):
        try:
            link.run(self.board, line)
        except ValueError:
            pass  # traced as an unknown command

    def _print(self, data):
        self.to_host += self._spoil(data)
        if self.random.random() < self.rates[3]:
            self.to_host += self.random.choice(NOISE)

    def _spoil(self, data):
        corrupt, lose, double, _ = self.rates
        out = bytearray()
        for byte in data:
            if self.random.random() < corrupt:
                byte ^= 1 << self.random.randrange(8)
            if self.random.random() >= lose:
                out.append(byte)
            if self.random.random() < double:
                out.append(byte)
        return bytes(out)


@pytest.fixture(autouse=True)
def parts(monkeypatch):
    """Commands of a board: "echo" answers with its body's digest and some text, the others fail in their ways."""

    def do(appliance, command, body):
        verb = command["do"]
        if verb == "typed":
            raise ValueError("typed: not so")
        if verb == "memory":
            raise MemoryError
        appliance.board.done.append(command)
        return (
            {"sha256": sha256(b"".join(body)).hexdigest(), "text": "y" * command.get("size", 0)}
            if verb == "echo"
            else None
        )

    monkeypatch.setattr(
        link, "load", lambda name: SimpleNamespace(do=do, run=lambda *_: do(None, {"do": "typed"}, b""))
    )


def talk(line, tries=host.TRIES):
    line.board.board.done = line.done
    return host.Link(line, clock=lambda: line.now, draw=line.random.randrange, tries=tries)


def echo(line, talker, body=b"", size=0):
    answer = talker.request({"do": "echo", "size": size, "n": len(line.done)}, body)
    assert answer == {"sha256": sha256(body).hexdigest(), "text": "y" * size}


def test_a_quiet_line():
    line = Line()
    talker = talk(line)
    assert talker.hello() == "uike 0.1.0 on fake" and talker.request_max == link.REQUEST_MAX
    for body, size in ((b"", 0), (b"x", 1), (bytes(range(256)) * 30, 5000), (b"\n@#" * 50, 134)):
        echo(line, talker, body, size)
    assert len(line.done) == 4 and line.longest <= 195
    talker.close()
    assert line.board.session is None


def test_what_a_board_refuses():
    line = Line()
    talker = talk(line)
    talker.hello()
    for verb, text in (("typed", "typed: not so"), ("memory", "not enough memory")):
        with pytest.raises(host.CommandError, match=text):
            talker.request({"do": verb})
    with pytest.raises(host.LinkError, match="too many"):
        talker.request({"do": "echo"}, bytes(link.REQUEST_MAX))
    echo(line, talker, bytes(link.REQUEST_MAX - 100))


@pytest.mark.parametrize("seed", range(8))
def test_soak_one_byte_in_a_hundred_is_wrong(seed):
    line = Line(seed, corrupt=0.01, lose=0.001, double=0.001, chatter=0.3)
    talker = talk(line)
    talker.hello(tries=40)
    for count in range(12):
        echo(line, talker, line.random.randbytes(line.random.randrange(2000)), line.random.randrange(1200))
    assert [command["n"] for command in line.done] == list(range(12))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    rates=st.tuples(*[st.floats(0, 0.01)] * 3, st.floats(0, 1)),
    body=st.binary(max_size=600),
    size=st.integers(0, 600),
)
def test_noise_loss_and_doubling(seed, rates, body, size):
    line = Line(seed, *rates)
    talker = talk(line, tries=80)
    talker.hello(tries=80)
    echo(line, talker, body, size)
    echo(line, talker, body[::-1], size)
    assert len(line.done) == 2


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 30), lines=st.integers(0, 40), body=st.binary(min_size=1, max_size=1500))
def test_a_board_that_restarts_at_any_line(seed, lines, body):
    """The host hears of it, begins again, and the command is done once more at most."""
    line = Line(seed, corrupt=0.002)
    talker = talk(line, tries=80)
    talker.hello(tries=80)
    write, count = line.write, iter(range(1 << 30))

    def until_the_cut(data):
        if next(count) == lines:
            line.switch_on()
            line.board.board.done = line.done
        write(data)

    line.write = until_the_cut
    try:
        echo(line, talker, body, 300)
    except host.Restarted:
        talker.hello(tries=80)
        echo(line, talker, body, 300)
    assert 1 <= len(line.done) <= 2


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 30), lines=st.integers(0, 30), body=st.binary(min_size=1, max_size=1500))
def test_a_host_that_goes_away_at_any_line(seed, lines, body):
    line = Line(seed, corrupt=0.002)
    write, count = line.write, iter(range(1 << 30))

    class Gone(Exception):
        pass

    def until_the_cut(data):
        if next(count) >= lines:
            raise Gone
        write(data)

    line.write = until_the_cut
    try:
        talker = talk(line, tries=80)
        talker.hello(tries=80)
        echo(line, talker, body, 200)
    except Gone:
        pass
    line.write = write
    before = len(line.done)
    other = talk(line, tries=80)
    other.hello(tries=80)
    echo(line, other, body, 200)
    assert len(line.done) == before + 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_line_breaks_the_board(noise):
    line = Line()
    line.board.board.done = []
    line.write(noise + b"\n")
    line.write(b"@" + noise + b"\n")
    for kind in range(7):
        line.write(link.pack(kind, 7, 1, len(noise) & 0xFFFF, noise[:134]) + b"\n")
    talker = talk(line)
    talker.hello()
    echo(line, talker)
    assert len(line.done) >= 1


def test_another_version_is_said(monkeypatch):
    def old_board(board, text):
        board.board.console.write(link.pack(link.HELLO | link.ANSWER, link.unpack(text)[1], 9, 100, b"uike 9"))

    monkeypatch.setattr(link, "run", old_board)
    with pytest.raises(host.LinkError, match="version 9 of the link, this tool version 1"):
        talk(Line()).hello()


def test_a_board_that_says_nothing():
    line = Line(lose=1.0)
    with pytest.raises(host.NoAnswer):
        talk(line).hello()
    assert 1 < line.now < 10


def test_what_others_print_is_passed_on():
    line = Line()
    heard = []
    talker = host.Link(line, heard.append, clock=lambda: line.now, draw=line.random.randrange)
    line.to_host = b"boot:\r\n#AAAA\r\nhalf of a li" + link.pack(link.HELLO, 9, 1, 0) + b"\r\n@broken\r\n"
    talker.hello()
    assert heard == [b"boot:", b"#AAAA"]


def test_frames_as_bytes():
    assert link.unpack(b"junk@junk" + link.pack(link.SEND, 513, 255, 65535, b"ab")) == (2, 513, 255, 65535, b"ab")
    assert len(link.pack(link.SEND, 1, 1, 1, bytes(link.DATA_MAX))) + 1 <= 200
    assert link.unpack(b"@AgIB/wAAYWI=") is None and link.unpack(b"@") is None and link.unpack(b"{}") is None
