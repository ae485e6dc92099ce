"""python -m tests.fuzz SECONDS: atheris, guided by coverage, over `receive` in every state that a handshake reaches.

It begins with `tests/fuzz/corpus/`; what it finds goes to a temporary folder, which it names.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["uike"]):
    import uike.endpoint  # noqa: F401
    import uike.ike.answer  # noqa: F401
    import uike.ike.auth  # noqa: F401
    import uike.ike.cookie  # noqa: F401
    import uike.ike.info  # noqa: F401
    import uike.ike.init  # noqa: F401
    import uike.ike.mobike  # noqa: F401
    import uike.ike.reassembly  # noqa: F401
    from tests.fuzz import corpus, inputs


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="uike-fuzz-"))
    for name, data in corpus.read().items():
        (folder / name).write_bytes(data)
    options = [f"-max_total_time={sys.argv[1]}", "-max_len=2048", "-verbosity=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(folder)], lambda data: inputs.play(data) and None)
    atheris.Fuzz()
