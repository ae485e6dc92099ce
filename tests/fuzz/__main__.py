"""python -m tests.fuzz SECONDS: atheris, guided by coverage, over `receive` in every state that a handshake reaches.

What begins with CREDENTIAL is no input of those, but a certificate, list, key, name or AlgorithmIdentifier. It begins with
`tests/fuzz/corpus/` and the certificates of `tests/pki/test_fuzz.py`; what it finds goes to a temporary folder, which it names.
"""

import importlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["uike"]):
    import uike.ike
    from tests.fuzz import corpus, inputs
    from tests.pki import test_fuzz as credentials

    for path in Path(uike.ike.__file__).parent.glob("*.py"):  # those too that are only loaded when they are needed
        importlib.import_module(f"uike.ike.{path.stem}")

CREDENTIAL = 0xFF


def play(data):
    if data[:1] == bytes((CREDENTIAL,)):
        credentials.look(data[1:])
    else:
        inputs.play(data)


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="uike-fuzz-"))
    for name, data in corpus.read().items():
        (folder / name).write_bytes(data)
    for name, data in credentials.seeds().items():
        (folder / f"credential {name}").write_bytes(bytes((CREDENTIAL,)) + data)
    options = [f"-max_total_time={sys.argv[1]}", "-max_len=2048", "-verbosity=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(folder)], play)
    atheris.Fuzz()
