"""Runs on the board: published vectors put to a provider, one at a time from a file with a JSON object a line."""

import gc
import json

import guest_vectors
from proof.measure import check, provider


def run(crypto_name, path):
    crypto = provider(crypto_name)
    with open(path) as lines:
        for line in lines:
            case = json.loads(line)
            why = guest_vectors.check(crypto, case)
            check(case["name"], why is None, why)
            del case, line
            gc.collect()
