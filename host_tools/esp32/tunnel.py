"""`python -m host_tools.esp32.tunnel`: the appliance on an official image in an emulator with Wi-Fi, and a gateway.

The emulated board and strongSwan are in network namespaces of their own (root). The board boots the image with our
files on its flash, joins the emulator's Wi-Fi, and brings up a tunnel; then it pings through it, and strongSwan's own
counters have to agree. The exit status is 0 only then.
"""

import json
import subprocess
import tempfile
import threading
from pathlib import Path

import rich_click as click

from host_tools import image, records
from host_tools.esp32 import appliance, emulator, flash
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
@click.pass_context
def main(context, image_path, binary, ssid):
    """Boot an official image with the appliance on it, and bring up a tunnel to a real strongSwan."""
    official = image_path.read_bytes()
    chip = flash.chip_of(official)
    built = image.build(platform="esp32", march=chip.march)
    settings = {"wifi": {"ssid": ssid}}
    files = appliance.files(built, {"connection": {"hq": CONNECTION}}, settings, {"lax": True}, slow_flash=True)
    with tempfile.TemporaryDirectory(prefix="uike-tunnel-") as name, Namespaces("q") as namespaces:
        directory = Path(name)
        with Gateway(namespaces, directory) as gateway:
            gateway.configure(connection())
            (directory / "flash.bin").write_bytes(flash.merge(official, files))
            line = emulator.command(binary, chip.name, directory / "flash.bin", 0, network=True)
            line[line.index("-serial") + 1] = "stdio"
            seen = _watch(namespaces, line)
            counters = gateway.counters() if seen.get("ping") else {}
    answered = [fields for fields in seen.get("ping", []) if fields["answered"]]
    sound = len(answered) == PINGS == counters.get("packets-in") == counters.get("packets-out")
    click.echo(f"strongSwan counts {counters}; {'the tunnel works' if sound else 'it does NOT work'}")
    context.exit(0 if sound else 1)


def _watch(namespaces, line) -> dict[str, list[dict]]:
    """Runs the board until its pings are done; prints its trace. The fields of all events, by name."""
    command = Namespaces.command(namespaces.board, *map(str, line))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    watchdog = threading.Timer(LIMIT_S, process.kill)
    watchdog.start()
    seen: dict[str, list[dict]] = {}
    try:
        for raw in process.stdout:
            event = records.parse(raw.strip())
            if event is None:
                click.echo(raw.decode("utf-8", "replace").rstrip(), err=True)
                continue
            seen.setdefault(event.name, []).append(event.fields)
            if event.name != "message":
                click.echo(f"{event.time_ms / 1000:8.3f} {event.name} {event.fields}")
            if event.name == "established":
                ping = {"do": "ping", "to": INNER, "count": PINGS, "interval_ms": 200}
                process.stdin.write(json.dumps(ping).encode() + b"\n")
                process.stdin.flush()
            if len(seen.get("ping", [])) == PINGS:
                break
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait(10)
    return seen


if __name__ == "__main__":
    main()
