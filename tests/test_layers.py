"""Imports point down only: `app` on top, the registries at the bottom, and `ike` beside `ipsec`."""

import ast
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parent.parent / "firmware"

# What each part may import, apart from itself.
REGISTRIES = {"iana", "reason", "event"}
BELOW_IKE = {"wire", "crypto", "transient"} | REGISTRIES
MAY_IMPORT = {
    "": set(),
    "main": {"app", "hal"},
    "boot": REGISTRIES,
    "app": {"", "endpoint", "control", "trace", "crypto", "pki", "identity", "wire", "transient", "config"}
    | {"relays", "hal", "net"}
    | REGISTRIES,
    "endpoint": {"admission", "verdict", "lifetime", "control", "ike", "ipsec"} | BELOW_IKE,
    "control": {"lifetime", "ike", "ipsec"} | BELOW_IKE,
    "admission": {"ike"} | BELOW_IKE,
    "verdict": {"lifetime", "ike"} | BELOW_IKE,
    "lifetime": {"ike"} | BELOW_IKE,
    "ike": {"pki", "eap"} | BELOW_IKE,
    "eap": {"crypto", "wire"} | REGISTRIES,
    "ipsec": REGISTRIES,
    "net": {"wire"} | REGISTRIES,
    "config": {"readers", "connection", "relays", "transient", "wire"} | REGISTRIES,
    "relays": {"config", "wire"},
    "readers": {"identity", "keywords", "wire"} | REGISTRIES,
    "connection": set(),
    "identity": {"wire", "pki"} | REGISTRIES,
    "keywords": REGISTRIES,
    "wire": REGISTRIES,
    "pki": {"wire"} | REGISTRIES,
    "crypto": REGISTRIES,
    "trace": REGISTRIES,
    "transient": set(),
    "hal": {"crypto", "transient"} | REGISTRIES,
    "iana": set(),
    "reason": set(),
    "event": set(),
}
FILES = sorted(path for path in FIRMWARE.rglob("*.py") if path.parent.name != "examples")


def part(module):
    """The part of the firmware that a dotted name belongs to: "uike.ike.auth" is of "ike"."""
    words = module.split(".")
    return words[1] if len(words) > 1 else ""


def imported(path):
    """Dotted names under `uike` that a file imports or loads, at any depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "uike")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "uike":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                inside = FIRMWARE / name.replace(".", "/")
                yield name if inside.is_dir() or inside.with_suffix(".py").exists() else node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load" and node.args:
            if isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_no_arrow_points_up(path):
    words = path.relative_to(FIRMWARE).with_suffix("").parts
    own = words[0] if len(words) == 1 else "" if words[1] == "__init__" else words[1]
    for name in imported(path):
        assert part(name) == own or part(name) in MAY_IMPORT[own], f"{path.name} imports {name}"


def test_the_walk_sees_imports():
    seen = set(imported(FIRMWARE / "uike" / "endpoint.py"))
    assert {"uike.event", "uike.ike.exchange", "uike.control", "uike.ipsec.packet"} <= seen


def test_only_the_entry_and_the_platforms_name_a_platform():
    for path in FILES:
        if "hal" in path.parts or path.name == "main.py":
            continue
        assert not [name for name in imported(path) if part(name) == "hal"], path
