"""The same driver in the MicroPython VM, its registers through the door, and the bus of a board on the unix port."""

import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.emulator.vm import DoorError, run_script
from tests.hardware import ecc_model, mpi_model
from tests.hardware.mpi_model import Silicon

MPI_MAX = 15_400  # bytes of heap while loaded, all transient
ECC_MAX = 13_600

PRELUDE = """
import gc, host
from uike.hal.vm.registers import Registers

class Guard:
    lock = None
    pauses = 0
    reports = []
    def __init__(self): self.lock = self
    def acquire(self, wait): return True
    def release(self): pass
    def may_use(self): return True
    def pause(self): self.pauses += 1
    def begin(self): return None
    def end(self, state): pass
    def report(self, code): self.reports.append(code)

def random(n): return bytes(range(1, n + 1))
registers, guard = Registers(), Guard()
gc.collect()
before = gc.mem_alloc()
"""

POWER = """
from uike.crypto.esp32.mpi import Mpi
mpi = Mpi(CHIP, registers, guard, random)
gc.collect()
print(gc.mem_alloc() - before)
modulus = (1 << SIZE * 8) - 1981
base, exponent = modulus // 3, (1 << 255) + 12345
result = mpi.power(base, exponent, modulus, SIZE, 256)
print(hex(result), guard.reports, hex(mpi.multiply(base, exponent, modulus, SIZE)))
"""

POINT = """
from uike.crypto.esp32.ecc import Ecc
ecc = Ecc(CHIP, registers, guard)
gc.collect()
print(gc.mem_alloc() - before)
x, y = ecc.multiply(2, GX, GY)
print(hex(x), hex(y), guard.reports)
"""


class Door:
    """Register accesses of the VM, to a model."""

    def __init__(self, silicon):
        self.silicon = silicon

    def __call__(self, memory, name, text):
        numbers = [int(part) for part in text.split()]
        if name == "reg_read":
            return str(self.silicon.read(*numbers))
        if name == "reg_write":
            self.silicon.write(*numbers)
        elif name == "reg_load":
            memory.write(numbers[1], self.silicon.load(numbers[0], numbers[2]))
        elif name == "reg_store":
            self.silicon.store(numbers[0], bytearray(memory.read(numbers[1], 4 * numbers[2])))
        else:
            raise DoorError(name)
        return ""


def run(silicon, script, heap="96k"):
    firmware = ("uike.crypto", "uike.hal.vm.registers")
    stdout, fuel, verdict = run_script(PRELUDE + script, heap, firmware=firmware, door=Door(silicon))
    assert verdict.ok, verdict
    return stdout.split("\n", 1)


@pytest.mark.parametrize("chip", ["esp32", "esp32s3", "esp32c6"])
def test_a_power_in_the_vm(chip):
    silicon = Silicon((mpi_model.Mpi, chip))
    used, rest = run(silicon, POWER.replace("CHIP", repr(chip)).replace("SIZE", "256"))
    modulus = (1 << 2048) - 1981
    base, exponent = modulus // 3, (1 << 255) + 12345
    assert rest.split() == [hex(pow(base, exponent, modulus)), "[]", hex(base * exponent % modulus)]
    assert int(used) <= MPI_MAX and not silicon.mpi.misuses


def test_a_point_in_the_vm():
    silicon = Silicon((ecc_model.Ecc, "esp32c6"))
    x = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
    y = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
    used, rest = run(silicon, POINT.replace("CHIP", "'esp32c6'").replace("GX", hex(x)).replace("GY", hex(y)))
    assert rest.split() == [*map(hex, ecc_model.multiply(2, x, y)), "[]"]
    assert int(used) <= ECC_MAX and not silicon.ecc.misuses


BUS = """
import sys
sys.path.insert(0, FIRMWARE)
import uctypes
from uike.crypto.esp32 import bus

class Mem32:
    def __getitem__(self, address): return int.from_bytes(uctypes.bytearray_at(address, 4), "little")
    def __setitem__(self, address, value): uctypes.bytearray_at(address, 4)[:] = value.to_bytes(4, "little")

memory = bytearray(64)
base = uctypes.addressof(memory)
native = bus.words
for bus.words in (native, None):
    registers = bus.Registers(Mem32())
    registers.store(base, bytearray(range(200, 232)))
    print(memory.hex(), registers.load(base + 4, 3).hex())
    registers.write(base + 32, 0x89ABCDEF)
    print(registers.read(base + 32) == 0x89ABCDEF)
    memory[:] = bytearray(64)
print(native is not None)
"""


def test_the_bus_of_a_board_in_machine_code_and_without(tmp_path):
    """On the unix port, whose viper works on the memory of the process: here, a bytearray for a chip."""
    root = Path(__file__).parents[2]
    script = tmp_path / "bus.py"
    script.write_text(BUS.replace("FIRMWARE", repr(str(root / "firmware"))))
    micropython = Path(sys.executable).parent / "micropython"
    done = subprocess.run([micropython, script], capture_output=True, text=True, timeout=60, check=True)
    data = bytes(range(200, 232))
    each = [(data + bytes(32)).hex(), data[4:16].hex(), "True"]
    assert done.stdout.split() == [*each, *each, "True"], done.stderr
