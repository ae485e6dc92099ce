"""`python -m host_tools.esp32.tunnel`: the appliance on an official image in an emulator with Wi-Fi, and a gateway.

The emulated board and strongSwan are in network namespaces of their own (root). The board boots the image with our
files on its flash, joins the emulator's Wi-Fi, and brings up a tunnel; then it pings through it, and strongSwan's own
counters have to agree; a device of the board's network sends TCP data through a relay to a service behind the gateway,
and gets it back. Then its power goes, and with what it has written to its flash it has to be up again. The exit status
is 0 only then. A gateway of one's own takes strongSwan's place with its configuration; that needs no root, and moves
no TCP data.
"""

import contextlib
import json
import subprocess
import tempfile
import threading
from pathlib import Path

import rich_click as click

from host_tools import arguments, config_file, image, records
from host_tools.esp32 import appliance, echo, emulator, flash
from host_tools.peers.network import INNER, Namespaces
from host_tools.peers.strongswan import Gateway, connection

PINGS = 3
LIMIT_S = 900  # of the PC's time: emulators take long for their flash
CONNECTION = {
    "role": "initiator",
    "remote": "192.0.2.1",
    "local_id": "dev.example",
    "remote_id": "gw.example",
    "psk": "a key that nobody guesses",
    "proposals": ["aes128-sha256-x25519"],
    "esp_proposals": ["aes128-sha256"],
    "virtual_ip": True,
    "remote_ts": ["10.1.0.0/16"],
}


@click.command()
@click.option("--image", "image_path", type=click.Path(exists=True, path_type=Path), required=True, metavar="FILE")
@click.option("--emulator", "binary", required=True, metavar="PATH", help="A qemu-system-xtensa with Wi-Fi.")
@click.option("--ssid", default="PICSimLabWifi", show_default=True, help="The emulator's network, which is open.")
@click.option(
    "--gateway",
    "config_path",
    type=arguments.FILE,
    metavar="FILE",
    help="Configuration (TOML) for a gateway that this PC reaches. [default: a strongSwan in a namespace]",
)
@click.option("--ping", "target", default=INNER, show_default=True, metavar="ADDR", help="Behind the gateway.")
@click.pass_context
def main(context, image_path, binary, ssid, config_path, target):
    """Boot an official image with the appliance on it, and bring up a tunnel to a real gateway."""
    tree = config_file.read(config_path) if config_path else {"connection": {"hq": CONNECTION}, "relay": [echo.RELAY]}
    official = image_path.read_bytes()
    chip = flash.chip_of(official)
    built = image.build(platform="esp32", march=chip.march)
    files = appliance.files(built, tree, {"wifi": {"ssid": ssid}}, {"lax": True}, slow_flash=True)
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="uike-tunnel-")))
        (directory / "flash.bin").write_bytes(flash.merge(official, files))
        forward = "" if config_path else echo.FORWARD
        line = emulator.command(binary, chip.name, directory / "flash.bin", 0, True, forward)
        line[line.index("-serial") + 1] = "stdio"
        counters = data = None
        if not config_path:
            namespaces = stack.enter_context(Namespaces("q"))
            gateway = stack.enter_context(Gateway(namespaces, directory))
            gateway.configure(connection())
            line, counters = Namespaces.command(namespaces.board, *line), gateway.counters
            data = echo.Echo(namespaces)
        trial = Trial(target, counters, data)
        problem = trial.run(line) or trial.run(line, again=True)
    click.echo(f"it does NOT work: {problem}" if problem else "the tunnel works, and after a loss of power again")
    context.exit(1 if problem else 0)


class Trial:
    """One board from power-on to the tunnel and through it, and then from a second power-on to the tunnel."""

    def __init__(self, target, counters, data):
        self._target = target
        self._counters = counters
        self._data = data
        self._process = None
        self._answered = 0
        self._again = False

    def run(self, line: list, again: bool = False) -> str:
        """What went wrong; "" if nothing did. Prints what happened, when, and with how much heap left.

        (An emulator does not survive the chip's reset by itself, so a second boot is another process.)"""
        self._again = again
        self._process = subprocess.Popen(
            list(map(str, line)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        watchdog = threading.Timer(LIMIT_S, self._process.kill)
        watchdog.start()
        try:
            for raw in self._process.stdout:
                event = records.parse(raw.strip())
                if event is None:
                    click.echo(raw.decode("utf-8", "replace").rstrip(), err=True)
                    continue
                if event.name != "message":
                    click.echo(f"{event.time_ms / 1000:8.3f} {event.name} {event.fields}")
                verdict = getattr(self, f"_{event.name}", lambda fields: None)(event.fields)
                if verdict is not None:
                    return verdict
            return "the board fell silent"
        finally:
            watchdog.cancel()
            self._process.terminate()
            self._process.wait(10)

    def _type(self, **command):
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def _boot(self, fields):
        return f"it fell over, reason {fields['reason']}" if fields["boots"] != 1 else None

    def _seed(self, fields):
        return f"its seed was not kept, reason {fields['reason']}" if self._again else None

    def _negotiating(self, fields):
        self._type(do="heap")

    def _established(self, fields):
        if self._again:
            return ""
        self._type(do="ping", to=self._target, count=PINGS, interval_ms=200)

    def _ping(self, fields):
        if not fields["answered"]:
            return "a ping was lost"
        self._answered += 1
        if self._answered == PINGS:
            counters = self._counters() if self._counters else {}
            click.echo(f"the gateway counts {counters or 'nothing that we could see'}")
            if counters and not counters["packets-in"] == counters["packets-out"] == PINGS:
                return "the gateway counted other packets"
            if not self._data:
                return ""
            self._data.start()
        return None

    def _relay_opened(self, fields):
        self._type(do="heap")

    def _relay_refused(self, fields):
        return f"the relay refused the device, reason {fields['reason']}"

    def _relay_closed(self, fields):
        return self._data.finish()

    def _stopped(self, fields):
        return f"it stopped, reason {fields['reason']}"


if __name__ == "__main__":
    main()
