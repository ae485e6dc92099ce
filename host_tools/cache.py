"""The per-user cache directory, where compiled things live so that a clone stays clean."""

import os
import tempfile
from pathlib import Path


def directory(*parts: str) -> Path:
    """A directory below the cache, made when missing and readable by its owner only.

    `UIKE_CACHE` names another place; otherwise it is `uike` below `XDG_CACHE_HOME` or `~/.cache`.
    """
    base = os.environ.get("UIKE_CACHE")
    root = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uike"
    path = root.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step, so that a reader in another process never sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(name, path)
