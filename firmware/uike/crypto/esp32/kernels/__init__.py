"""Native code (`@micropython.viper`) for what is slow as bytecode. An image has it only if it is built for a chip.

The code of these modules lies in executable memory, which a board gives back at its next reset only: they stay loaded,
and what is transient is the bytecode around them.
"""

import micropython  # noqa: F401  (absent on CPython, which then does without this package)
