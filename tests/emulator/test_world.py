"""Boards in virtual time on a switch: both runtimes, the same program, deterministic to the instruction."""

import pytest

from host_tools import image
from host_tools.emulator.board import EmulatedBoard, _firmware_on_path
from host_tools.emulator.clock import RealClock, VirtualClock
from host_tools.emulator.host import Host
from host_tools.emulator.network import Switch

# Sends what is in its store to the other board, answers what it gets, until it got five datagrams or is stopped.
PROGRAM = """
def main(board):
    board.udp.open((500, 4500))
    board.console.write(b"random " + board.entropy(4))
    first = board.store.read("first")
    if first:
        board.store.write("seen", b"%d" % len(first))
        board.udp.send(first, ("192.0.2.2", 500), 500)
    count = 0
    while board.running() and count < 5:
        got = board.udp.receive()
        while got:
            count += 1
            board.console.write("%d %s %r %d" % (board.now(), bytes(got[0]), got[1], got[2]))
            board.udp.send(got[0] + b"!", got[1], got[2])
            got = board.udp.receive()
        line = board.console.read()
        if line:
            board.console.write(line)
        board.wait(1000)
    board.console.write("end %d" % board.now())
"""
GUEST = PROGRAM + "\n\nfrom uike.hal import board as platform\nmain(platform())\n"


@pytest.fixture(scope="module")
def guest_image(tmp_path_factory):
    """The program above as main.mpy, with the hal of the real firmware."""
    directory = tmp_path_factory.mktemp("image")
    files, sizes = image.compile_image(only=("uike.hal",))
    image.write(files, directory)
    image.write(image.compile_modules({"main": GUEST}), directory)
    return image.Image(directory, "", sizes)


def boards(runtime, guest_image, clock, switch, **options):
    """Two boards on the switch and the lines that they write."""
    _firmware_on_path()
    space = {}
    exec(PROGRAM, space)
    lines, found = [], []
    for name, address in (("a", "192.0.2.1"), ("b", "192.0.2.2")):
        host = Host(
            name, clock, switch.attach(address), seed=7, files={"first": b"ping"} if name == "a" else {}, **options
        )
        host.on_line = lambda line, name=name: lines.append((name, line))
        found.append(EmulatedBoard(host, runtime, image=guest_image, entry=space["main"]))
    for board in found:
        board.start()
    return found, lines


@pytest.mark.parametrize("runtime", ["vm", "cpython"])
def test_datagrams_go_back_and_forth_in_virtual_time(runtime, guest_image):
    clock = VirtualClock()
    both, lines = boards(runtime, guest_image, clock, Switch(clock, latency_ms=40))
    assert clock.run(lambda: all(board.verdict for board in both))
    assert all(board.verdict.ok for board in both), [board.verdict for board in both]
    texts = [line for name, line in lines if not line.startswith(b"random")]
    assert texts[0] == b"40 b'ping' ('192.0.2.1', 500) 500" and texts[1] == b"80 b'ping!' ('192.0.2.2', 500) 500"
    assert [texts[-2], texts[-1]] == [b"end 1360", b"end 1400"] or texts[-1].startswith(b"end ")
    assert both[0].host.files["seen"] == b"4"
    assert not both[0].violations and not both[1].violations


def test_the_same_seed_is_the_same_run_to_the_instruction(guest_image):
    runs = []
    for _ in range(2):
        clock = VirtualClock()
        switch = Switch(clock, seed=3, latency_ms=10, jitter_ms=20, loss=0.1, duplicate=0.2)
        both, lines = boards("vm", guest_image, clock, switch)
        clock.run(lambda both=both: all(board.verdict for board in both), limit_ms=20_000)
        for board in both:
            board.host.stop()
        clock.run(lambda both=both: all(board.verdict for board in both))
        runs.append((lines, [board.fuel for board in both], clock.now()))
    assert runs[0] == runs[1]


def test_both_runtimes_say_the_same(guest_image):
    said = []
    for runtime in ("vm", "cpython"):
        clock = VirtualClock()
        both, lines = boards(runtime, guest_image, clock, Switch(clock, seed=1, latency_ms=5))
        clock.run(lambda both=both: all(board.verdict for board in both))
        said.append(lines)
    assert said[0] == said[1]


@pytest.mark.parametrize("runtime", ["vm", "cpython"])
def test_console_lines_and_stopping(runtime, guest_image):
    clock = VirtualClock()
    switch = Switch(clock, loss=1.0)
    both, lines = boards(runtime, guest_image, clock, switch)
    clock.after(300, lambda: both[0].host.type_line(b'{"do": "x"}'))
    assert not clock.run(limit_ms=2500)  # nothing ends by itself
    assert ("a", b'{"do": "x"}') in lines
    for board in both:
        board.host.stop()
    assert clock.run(lambda: all(board.verdict for board in both))


def test_a_vm_reports_its_heap_when_asked_to(guest_image):
    clock = VirtualClock()
    both, _ = boards("vm", guest_image, clock, Switch(clock), measure=True)
    assert clock.run(lambda: all(board.verdict for board in both))
    samples = both[0].host.heap_samples
    assert len(samples) >= 5 and 1_000 < min(samples) <= max(samples) < 20_000


@pytest.mark.parametrize("runtime", ["vm", "cpython"])
def test_real_time(runtime, guest_image):
    clock = RealClock()
    switch = Switch(clock)
    both, lines = boards(runtime, guest_image, clock, switch)
    for _ in range(500):
        switch.inject(b"x", ("192.0.2.9", 4500), ("192.0.2.1", 4500))
        switch.inject(b"x", ("192.0.2.9", 4500), ("192.0.2.2", 4500))
        if all(board.join(0.01) for board in both):
            break
    assert all(board.verdict.ok for board in both)


def test_a_board_that_does_not_stop_is_made_to(tmp_path):
    image.write(image.compile_modules({"main": "while True:\n    pass"}), tmp_path)
    clock = RealClock()
    board = EmulatedBoard(Host("a", clock, Switch(clock).attach("192.0.2.1")), image=image.Image(tmp_path, "", {}))
    board.start()
    assert board.stop(timeout_s=0.2).kind == "killed"


def test_what_a_vm_prints_are_console_lines(tmp_path):
    image.write(image.compile_modules({"main": "print('one')\nprint('two', end='')"}), tmp_path)
    clock = RealClock()
    host = Host("a", clock, Switch(clock).attach("192.0.2.1"))
    lines = []
    host.on_line = lines.append
    board = EmulatedBoard(host, image=image.Image(tmp_path, "", {}))
    board.start()
    assert board.join(10) and lines == [b"one", b"two"]


def test_an_exception_on_cpython_is_a_verdict():
    clock = RealClock()

    def entry(board):
        raise ValueError("bad")

    board = EmulatedBoard(Host("a", clock, Switch(clock).attach("192.0.2.1")), "cpython", entry=entry)
    board.start()
    assert board.join(10) and board.verdict.kind == "exception" and "ValueError: bad" in board.verdict.text
