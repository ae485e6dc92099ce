"""python -m tests.sim [SEED] [N]: runs N seeds from SEED on, and stops at the first that breaks an invariant."""

import sys

from tests.sim.simulation import run

seed, count = [int(word) for word in [*sys.argv[1:], "1", "100"][:2]] if len(sys.argv) != 2 else (int(sys.argv[1]), 100)
for each in range(seed, seed + count):
    failure = run(each)
    if failure:
        sys.exit(failure)
    print(f"\rseed {each}", end="", flush=True)
print(f"\r{count} seeds from {seed} on: every invariant held")
