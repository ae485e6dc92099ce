"""python -m tests.sim SEED N: runs N seeds from SEED on, and stops at the first that breaks an invariant."""

import sys

from tests.sim.simulation import run

first, count = int(sys.argv[1]), int(sys.argv[2])
for seed in range(first, first + count):
    failure = run(seed)
    if failure:
        sys.exit(failure)
    if sys.stdout.isatty():
        print(f"\rseed {seed}", end="", flush=True)
print(f"{count} seeds from {first} on: every invariant held")
