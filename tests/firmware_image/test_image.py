"""The image: what ships, that it is the same every time, and what is refused."""

import pytest

from host_tools import image


@pytest.fixture
def firmware(tmp_path, monkeypatch):
    """A small firmware, and a cache of its own."""
    monkeypatch.setenv("UIKE_CACHE", str(tmp_path / "cache"))
    files = {
        "main.py": "from uike import iana\nprint(iana.SA)\n",
        "uike/__init__.py": "",
        "uike/iana.py": "SA = 33\n",
        "uike/reason.py": "NONE = 0\n",
        "uike/event.py": "MESSAGE = 1\n",
        "uike/part.py": "_SIZE = 4\n\n\ndef f():\n    return bytes(_SIZE)\n",
        "uike/hal/__init__.py": "",
        "uike/hal/vm/__init__.py": "",
        "uike/hal/vm/board.py": "",
        "uike/hal/cpython/__init__.py": "",
        "uike/hal/cpython/crypto.py": "import cryptography\n",
    }
    root = tmp_path / "firmware"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_registries_and_other_platforms_are_not_shipped(firmware):
    built = image.build(firmware)
    assert sorted(built.sizes) == ["main", "uike", "uike.hal", "uike.hal.vm", "uike.hal.vm.board", "uike.part"]
    found = {str(path.relative_to(built.directory)) for path in built.directory.rglob("*.mpy")}
    assert "uike/hal/vm/__init__.mpy" in found and "main.mpy" in found and len(found) == len(built.sizes)


def test_sizes_are_the_bytes_of_the_files(firmware):
    built = image.build(firmware)
    assert built.sizes["uike.part"] == (built.directory / "uike/part.mpy").stat().st_size
    assert built.total == sum(built.sizes.values()) > 0


def test_the_same_sources_give_the_same_bytes_with_and_without_the_cache(firmware, tmp_path, monkeypatch):
    first = image.build(firmware)
    monkeypatch.setenv("UIKE_CACHE", str(tmp_path / "other"))
    second = image.build(firmware)
    assert first.digest == second.digest and first.directory != second.directory
    for path in first.directory.rglob("*.mpy"):
        assert path.read_bytes() == (second.directory / path.relative_to(first.directory)).read_bytes()


def test_a_changed_number_changes_the_image(firmware):
    before = image.build(firmware).digest
    (firmware / "uike/iana.py").write_text("SA = 34\n")
    assert image.build(firmware).digest != before


def test_names_of_numbers_are_not_in_the_image(firmware):
    built = image.build(firmware)
    everything = b"".join(path.read_bytes() for path in built.directory.rglob("*.mpy"))
    assert b"iana" not in everything and b"_SIZE" not in everything


def test_part_of_an_image_has_its_parents(firmware):
    assert sorted(image.sources(firmware, only=("uike.hal.vm",))) == [
        "uike",
        "uike.hal",
        "uike.hal.vm",
        "uike.hal.vm.board",
    ]


def test_errors_say_where(firmware):
    (firmware / "uike/part.py").write_text("from uike import iana\nx = 1\ny = iana.SAA\n")
    with pytest.raises(image.ImageError, match=r"uike/part\.py:3: iana has no name SAA"):
        image.build(firmware)
    (firmware / "uike/part.py").write_text("def f(:\n")
    with pytest.raises(image.ImageError, match="part.py"):
        image.build(firmware)
    (firmware / "uike/part.py").write_text("async def f():\n    yield 1\n    [await x async for x in f()]\n")
    with pytest.raises(image.ImageError, match="part.py"):  # valid Python that mpy-cross does not know
        image.build(firmware)


def test_a_folded_private_name_cannot_be_imported(firmware):
    (firmware / "main.py").write_text("from uike.part import _SIZE\n")
    with pytest.raises(image.ImageError, match=r"main\.py:1: _SIZE of uike\.part is private"):
        image.build(firmware)


def test_modules_from_text_make_their_packages():
    files = image.compile_modules({"a.b": "X = 1\n", "c": "Y = 2\n"})
    assert sorted(files) == ["a/__init__.mpy", "a/b.mpy", "c.mpy"]


def test_the_real_firmware_builds():
    built = image.build()
    assert "main" in built.sizes and built.total < 256 * 1024
