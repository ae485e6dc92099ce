"""The host side of the VM's door: each request by name, from text and guest addresses to the methods of a Host."""

from host_tools.emulator.host import Host
from host_tools.emulator.vm import DoorError, GuestMemory

STORE_NAME_MAX = 40  # characters
STORE_FILE_MAX = 65536  # bytes
ENTROPY_MAX = 4096  # bytes a request
TIMEOUT_MAX_MS = 1 << 31


class HostDoor:
    """Callable (memory, name, text) -> reply, as `vm.Vm` wants it. A reply "!n" is OSError(n) in the guest."""

    def __init__(self, host: Host):
        self._host = host
        self._laid: bytes = b""
        self._staged: dict[str, bytes] = {}
        self.fuel = lambda: 0  # set when the VM is there

    def __call__(self, memory: GuestMemory, name: str, text: str) -> str:
        request = getattr(self, f"_do_{name}", None)
        if request is None:
            raise DoorError(f"no door called {name!r}")
        try:
            return request(memory, text)
        except OSError as error:
            return f"!{error.errno or 5}"
        except (IndexError, KeyError) as error:
            raise DoorError(f"{name}: {error!r} in {text!r}") from error

    def _lay(self, data: bytes | bytearray | None) -> str:
        """Keep bytes until the guest has made room for them; the reply is their number, or nothing."""
        if data is None:
            return ""
        self._laid = bytes(data)
        return str(len(data))

    def _do_take(self, memory, text):
        address, size = _numbers(text, 2)
        if size > len(self._laid):
            raise DoorError(f"{size} bytes asked for, {len(self._laid)} are there")
        memory.write(address, self._laid[:size])
        self._laid = b""
        return ""

    @staticmethod
    def _given(memory, text) -> tuple[bytes, str]:
        address, size, rest = text.split(" ", 2)
        return memory.read(int(address), int(size)), rest

    def _do_now(self, memory, text):
        return str(self._host.now())

    def _do_wait(self, memory, text):
        self._host.wait(max(0, min(int(text), TIMEOUT_MAX_MS)) if text else None)
        return ""

    def _do_entropy(self, memory, text):
        size = int(text)
        if not 0 <= size <= ENTROPY_MAX:
            raise DoorError(f"{size} bytes of entropy")
        return self._lay(self._host.entropy(size))

    def _do_running(self, memory, text):
        return "1" if self._host.running() else "0"

    def _do_fuel(self, memory, text):
        return str(self.fuel())

    def _do_measure(self, memory, text):
        return "1" if self._host.measure else "0"

    def _do_heap(self, memory, text):
        self._host.heap_samples.append(int(text))
        return ""

    def _do_udp_open(self, memory, text):
        self._host.udp_open([int(port) for port in text.split()])
        return ""

    def _do_udp_receive(self, memory, text):
        got = self._host.udp_receive()
        if got is None:
            return ""
        datagram, (address, port), local_port = got
        return f"{self._lay(datagram)} {address} {port} {local_port}"

    def _do_udp_send(self, memory, text):
        datagram, rest = self._given(memory, text)
        address, port, local_port = rest.split(" ")
        return "1" if self._host.udp_send(datagram, (address, int(port)), int(local_port)) else "0"

    def _do_address_for(self, memory, text):
        return self._host.address_for(text)

    def _do_resolve(self, memory, text):
        return self._host.resolve(text) or ""

    def _do_console_read(self, memory, text):
        return self._lay(self._host.console_read())

    def _do_console_write(self, memory, text):
        self._host.console_write(self._given(memory, text)[0])
        return ""

    def _do_store_read(self, memory, text):
        return self._lay(self._host.store_read(text))

    def _blob(self, memory, text) -> tuple[str, bytes]:
        data, name = self._given(memory, text)
        if not 0 < len(name) <= STORE_NAME_MAX or len(data) > STORE_FILE_MAX:
            raise DoorError(f"store {name!r} of {len(data)} bytes")
        return name, data

    def _do_store_write(self, memory, text):
        self._host.store_write(*self._blob(memory, text))
        return ""

    def _do_store_stage(self, memory, text):
        name, data = self._blob(memory, text)
        self._staged[name] = self._staged.get(name, b"") + data
        if len(self._staged[name]) > STORE_FILE_MAX:
            raise DoorError(f"store {name!r} of {len(self._staged[name])} bytes")
        return ""

    def _do_store_commit(self, memory, text):
        self._host.store_replace(self._staged)
        self._staged = {}
        return ""

    def _do_store_erase(self, memory, text):
        self._host.store_erase()
        return ""

    def _do_restart(self, memory, text):
        self._host.restart()
        return ""

    def _do_clock(self, memory, text):
        return str(self._host.clock_s() or 0)

    def _do_link(self, memory, text):
        return self._host.link() or ""

    def _do_has_tun(self, memory, text):
        return "1" if self._host.has_tun() else "0"

    def _do_tun_read(self, memory, text):
        return self._lay(self._host.tun_read())

    def _do_tun_write(self, memory, text):
        self._host.tun_write(self._given(memory, text)[0])
        return ""


def _numbers(text: str, count: int) -> list[int]:
    numbers = [int(part) for part in text.split(" ")]
    if len(numbers) != count:
        raise DoorError(f"{count} numbers expected in {text!r}")
    return numbers
