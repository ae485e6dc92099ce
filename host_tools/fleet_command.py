"""`uike fleet`: many boards at once, each with its own identity and secrets; what was done is not done again.

The table (CSV, a header first) has a row for each board. `name` and `port` say which; every other column fills a place
in the template, a configuration file with {column} in it, or {psk} for one that is drawn for that board.
"""

import concurrent.futures
import csv
import json
import os
import re
import secrets
import threading
from pathlib import Path

import rich_click as click

from host_tools import arguments, board_command, flash_command, installer, ports, provision_command
from host_tools.esp32 import bootloader, flash
from host_tools.link import CommandError, LinkError

BOARDS_MAX = 1000
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PLACE = re.compile(r"\{([a-z_0-9]+)\}")
_KEY_SIZE = 32


@click.command()
@click.argument("table", type=arguments.FILE, metavar="DEVICES.CSV")
@click.option(
    "--template",
    type=arguments.FILE,
    required=True,
    metavar="FILE",
    help="A configuration file (TOML) with {column} wherever boards differ; {psk} is drawn, and kept in RESULTS.",
)
@click.option(
    "--results",
    type=arguments.OUTPUT,
    metavar="FILE",
    help="What came of each board, a JSON object a line. [default: DEVICES.results.jsonl]",
)
@click.option("--flash", "board_name", metavar="BOARD", help="Flash each of them first, as `uike flash BOARD` does.")
@click.option(
    "--micropython",
    "official_path",
    type=arguments.FILE,
    metavar="FILE",
    help="The official image for --flash.",
)
@arguments.allow_unknown_option
@click.option("--parallel", type=click.IntRange(1, 64), default=8, show_default=True, help="Boards at a time.")
@click.option("--admin", "secret", envvar="UIKE_ADMIN", metavar="SECRET", help="The admin secret that the boards have.")
@click.option("--again", is_flag=True, help="Do those that are done once more.")
@board_command.json_option
@board_command.with_exit_codes
def command(as_json, table, template, results, board_name, official_path, allow_unknown, parallel, secret, again):
    """Provision many boards, each with what its row of a table says.

    A board that fails stops no other. Run the same command again: those that are done stay as they are. The file of
    results holds the PSKs that were drawn, for the gateway: it is for you alone to read.

    Example: uike fleet devices.csv --template gw.toml --flash esp32-generic
    """
    results = results or table.with_suffix(".results.jsonl")
    rows = _rows(table)
    known = _known(results)
    todo = [row for row in rows if again or not known.get(row["name"], {}).get("done")]
    job = flash_command.prepared(board_name, official_path, allow_unknown, None, False) if board_name else None
    plans = [_plan(row, template, known.get(row["name"], {}), board_name) for row in todo]
    lock = threading.Lock()

    def work(plan):
        record = _provision(plan, job, secret)
        with lock:
            _append(results, record)
            board_command.say(f"{record['name']}: {'done' if record['done'] else record['error']}")
        return record

    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        records = list(pool.map(work, plans))
    failed = [record["name"] for record in records if not record["done"]]
    report = {"boards": len(rows), "done": len(records) - len(failed), "failed": failed, "results": str(results)}
    skipped = len(rows) - len(records)
    board_command.emit(as_json, {**report, "skipped": skipped}, [_summary(report, skipped)])
    if failed:
        raise board_command.Failed(f"{len(failed)} of {len(records)} failed: run the same command again")


def _summary(report, skipped):
    done_before = f", {skipped} were done before" if skipped else ""
    return f"{report['done']} boards done, {len(report['failed'])} failed{done_before}: {report['results']}"


def _rows(path: Path) -> list[dict]:
    """The table, checked: names and ports are there, and no two are the same."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [{key: str(value or "").strip() for key, value in row.items()} for row in csv.DictReader(file)]
    problem = None
    if not rows or not {"name", "port"} <= rows[0].keys():
        problem = "a header with name and port, and a row for each board, are wanted"
    elif len(rows) > BOARDS_MAX:
        problem = f"{len(rows)} boards; at most {BOARDS_MAX} at a time"
    for column in ("name", "port"):
        values = [row.get(column) for row in rows]
        twice = next((value for value in values if values.count(value) > 1), None)
        problem = problem or (f"{column} {twice!r} is there twice" if twice is not None else None)
    for row in rows:
        if not problem and (None in row or not _NAME.fullmatch(row["name"]) or not row["port"]):
            problem = (
                f"row {row['name']!r}: a name of letters, digits, -, _ and ., a port, and no more cells than titles"
            )
    if problem:
        raise board_command.Failed(f"{path}: {problem}", board_command.WRONG_USE)
    return rows


def _known(path: Path) -> dict[str, dict]:
    """The last record of each board. A line that was cut off counts for nothing."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
            found[record["name"]] = {**found.get(record["name"], {}), **record}
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _append(path: Path, record: dict) -> None:
    """One more line, on the disk before we go on; for its owner's eyes only."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as file:
        whole = not file.tell() or os.pread(handle, 1, file.tell() - 1) == b"\n"
        file.write((b"" if whole else b"\n") + json.dumps(record).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _plan(row: dict, template: Path, before: dict, board_name: str | None) -> dict:
    """What a board is to have. Wrong use when its configuration would be refused."""
    values, text = dict(row), template.read_text(encoding="utf-8")
    if "{psk}" in text and not values.get("psk"):
        values["psk"] = before.get("psk") or secrets.token_hex(_KEY_SIZE)  # a second try draws no other
    missing = sorted(set(_PLACE.findall(text)) - values.keys())
    if missing:
        said = f"the template wants {', '.join(missing)}, and the table has no such column"
        raise board_command.Failed(said, board_command.WRONG_USE)
    filled = _PLACE.sub(lambda place: json.dumps(values[place[1]])[1:-1], text)
    try:
        blobs = provision_command.loaded(template, board_name, filled)
    except board_command.Failed as failed:
        raise board_command.Failed(f"{row['name']}: {failed}", failed.code) from None
    return {"row": row, "psk": values.get("psk"), "blobs": blobs}


def _provision(plan: dict, job, secret: str | None) -> dict:
    """The record of one board; never raises for what a board or a cable does."""
    row = plan["row"]
    record = {"name": row["name"], "port": row["port"], "done": False}
    if plan["psk"] is not None:
        record["psk"] = plan["psk"]
    try:
        if job:
            record["mac"] = installer.install(row["port"], job)["mac"]
            installer.wait_for_greeting(row["port"])
        with board_command.linked(row["port"]) as link:
            record["sha256"] = provision_command.send(link, plan["blobs"], secret)["sha256"]
            board_command.start_again(link)
        record["done"] = True
    except CommandError as error:
        record["error"] = board_command.refusal(error.answer)
    except (
        board_command.Failed,
        bootloader.BootloaderError,
        flash.FlashError,
        installer.InstallError,
        LinkError,
        ports.PortError,
    ) as error:
        record["error"] = str(error)
    return record
