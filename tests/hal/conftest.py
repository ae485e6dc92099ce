"""The platform's modules on a fake chip."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from tests.hal.chip import Chip

OURS = ("record", "slots", "life", "led", "network", "board", "engines", "share")


@pytest.fixture
def chip(monkeypatch):
    """A chip whose modules MicroPython has; `chip.load(name)` is a module of uike.hal.esp32 that runs on it."""
    chip = Chip()
    for name, module in chip.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    package = importlib.import_module("uike.hal.esp32")
    for name in OURS:
        monkeypatch.delitem(sys.modules, f"uike.hal.esp32.{name}", raising=False)
        if hasattr(package, name):
            monkeypatch.delattr(package, name)
    chip.load = lambda name: importlib.import_module(f"uike.hal.esp32.{name}")
    heap = SimpleNamespace(mem_alloc=lambda: 70_000, mem_free=lambda: 42_000)
    monkeypatch.setattr(chip.load("share"), "gc", heap)
    yield chip
    for name in OURS:
        sys.modules.pop(f"uike.hal.esp32.{name}", None)
