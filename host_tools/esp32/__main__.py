"""`python -m host_tools.esp32`: prove the firmware on an official MicroPython image, on a board or in an emulator.

It is run from a checkout, because the published vectors are those of the tests.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import rich_click as click
import serial
from rich.console import Console

from host_tools import arguments, image
from host_tools.esp32 import emulator, flash, report, stages
from host_tools.esp32.repl import Repl, ReplError

CHIPS_OWN = ("uike.crypto.esp32", "uike.hal.esp32.engines")  # the modules of the "esp32" provider
RUNNER = Path(__file__).resolve().parent.parent.parent / "tests" / "crypto" / "guest_vectors.py"
SAMPLE = 6  # vectors of each kind, valid and invalid each
BAUD = 115200
EMULATOR_BOOT_S = 180  # beside others on a busy PC
WRONG_USE = 2
PROGRESS = 100  # results between two signs of life
MARCHES = {10: "xtensawin", 11: "rv32imc"}  # native code by its number in an .mpy file


@click.command()
@click.option(
    "--image",
    "image_path",
    type=arguments.FILE,
    metavar="FILE",
    help="An official MicroPython image (.bin) for the emulator.",
)
@click.option(
    "--emulator", "binary", metavar="PATH", help="A qemu-system-xtensa or -riscv32 that has the image's chip."
)
@click.option("--port", metavar="DEVICE", help="A board at this serial port, with MicroPython on it.")
@click.option("--provider", type=click.Choice(["esp32", "soft"]), help="Crypto provider. [default: the image's best]")
@click.option("--only", multiple=True, metavar="STAGE", help="Only this stage (may be repeated).")
@click.option(
    "--vectors",
    default="sample",
    show_default=True,
    metavar="WHICH",
    help="sample, all (an hour in an emulated ESP32), none, or algorithms such as ecdsa,ed25519.",
)
@click.option("--wifi", metavar="SSID", help="Join this network; its password is in UIKE_WIFI_PASSWORD.")
@click.option("--json", "json_path", type=arguments.OUTPUT, metavar="FILE", help="As JSON too.")
@click.pass_context
def main(context, **options):
    """Prove the firmware on an official, unmodified MicroPython image.

    Memory, self-test, published vectors, and what primitives, packets and handshakes cost. The exit status is 0 only
    if every answer was right. On a board, /uike_proof is made and removed again, and nothing else is touched.
    """
    try:
        context.exit(_run(options))
    except (UsageError, emulator.EmulatorError, flash.FlashError, image.ImageError, ReplError) as error:
        click.echo(f"esp32: {error}", err=True)
        context.exit(WRONG_USE)
    except serial.SerialException as error:
        click.echo(f"esp32: {options['port']}: {error}", err=True)
        context.exit(WRONG_USE)


class UsageError(Exception):
    """The command cannot do what was asked; the text says why and what to do."""


def _run(options) -> int:
    if bool(options["port"]) == bool(options["binary"] and options["image_path"]):
        raise UsageError("give either --port, or both --image and --emulator")
    march = _march(options)
    built = image.build(platform=stages.PLATFORM, march=march)
    names_there = image.device_names(platform=stages.PLATFORM, march=march)
    provider = _provider(options["provider"], built, emulated=not options["port"])
    cases = _cases(options["vectors"])
    wifi = (options["wifi"], os.environ.get("UIKE_WIFI_PASSWORD", "")) if options["wifi"] else None
    runs = stages.plan(provider, wifi, cases)
    names = list(dict.fromkeys(run.stage for run in runs))
    if set(options["only"]) - set(names):
        raise UsageError(f"there is no such stage; this image and these options have {', '.join(names)}")
    if options["only"]:
        runs = [run for run in runs if run.stage in options["only"]]
    started = time.monotonic()
    results, about = [], {"provider": provider, "march": march, "firmware": built.total}

    def note(result):
        results.append(result)
        if len(results) % PROGRESS == 0:
            _echo(f"{len(results)} results")

    for number, part in enumerate(stages.parts(cases)):
        files = stages.files(built, part, RUNNER, march)
        with _device(options, files, bool(wifi)) as repl:
            about["device"] = repl.ask("import os, sys\nprint(sys.version, '|', os.uname().machine)")
            click.echo(f"esp32: {about['device']}, provider {provider}", err=True)
            for run in runs:
                if number and run.stage != "vectors":
                    continue
                click.echo(f"esp32: {run.title}", err=True)
                stages.execute(repl, run, names_there, note, _echo, slow_flash=not options["port"])
    if any(run.stage == "vectors" for run in runs):
        results += stages.unanswered(cases, results)
    about["seconds"] = round(time.monotonic() - started)
    report.show(Console(highlight=False), about, runs, results)
    if options["json_path"]:
        rows = [result._asdict() for result in results]
        options["json_path"].write_text(json.dumps({**about, "results": rows}, indent=2) + "\n")
    return report.status(runs, results)


def _echo(text):
    click.echo(f"    {text}", err=True)


def _march(options) -> str:
    """The native code that the device runs: of the image's chip, or what a board says of itself."""
    if options["binary"]:
        chip = flash.chip_of(options["image_path"].read_bytes())
        emulator.find(options["binary"], chip.name)
        return chip.march
    with serial.serial_for_url(options["port"], baudrate=BAUD) as link:
        repl = Repl(link)
        repl.enter()
        number = int(repl.ask("import sys\nprint(sys.implementation._mpy >> 10)"))
    if number not in MARCHES:
        raise UsageError(f"a board with native code number {number}; known are {MARCHES}")
    return MARCHES[number]


def _provider(wanted: str | None, built: image.Image, emulated: bool) -> str:
    has = all(module in built.sizes for module in CHIPS_OWN)
    if wanted == "esp32" and not has:
        raise UsageError(f"the firmware lacks {' or '.join(CHIPS_OWN)}")
    if wanted == "soft" or not has:
        return "soft"
    return "esp32-lax" if emulated else "esp32"


def _cases(which: str) -> list[dict]:
    """The vectors of `--vectors`. UsageError if it names an algorithm that has none."""
    if which == "none" or not RUNNER.exists():
        return []
    sys.path.insert(0, str(RUNNER.parents[2]))
    from tests.crypto import cases

    if which == "sample":
        return [case for name in cases.ALL for case in cases.sample(name, SAMPLE)]
    names = list(cases.ALL) if which == "all" else which.split(",")
    unknown = sorted(set(names) - set(cases.ALL))
    if unknown:
        raise UsageError(f"no vectors of {', '.join(unknown)}; there are sample, all, none, {', '.join(cases.ALL)}")
    return cases.every(names)


@contextlib.contextmanager
def _device(options, files, network):
    """A prompt in raw mode on a device that has the files."""
    if options["port"]:
        with serial.serial_for_url(options["port"], baudrate=BAUD) as link:
            repl = Repl(link)
            repl.enter()
            click.echo(f"esp32: writing {sum(map(len, files.values()))} bytes to {stages.DIRECTORY}", err=True)
            try:
                repl.soft_reset()
                repl.put(files, stages.DIRECTORY)
                yield repl
            finally:
                repl.enter()
                repl.remove(stages.DIRECTORY)
        return
    official = options["image_path"].read_bytes()
    below = {f"{stages.DIRECTORY.strip('/')}/{name}": data for name, data in files.items()}
    with emulator.running(
        options["binary"], flash.chip_of(official).name, flash.merge(official, below), network
    ) as link:
        repl = Repl(link, EMULATOR_BOOT_S)
        repl.enter()
        yield repl


if __name__ == "__main__":
    main()
