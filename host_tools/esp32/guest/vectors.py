"""Runs on the board: published vectors put to a provider, one at a time from a file with a JSON object a line."""

import gc
import json

import guest_vectors
from proof.measure import check, provider


def run(crypto_name, path):
    crypto, last = provider(crypto_name), None
    with open(path) as lines:
        for line in lines:
            case = json.loads(line)
            now = case["kind"], case.get("algorithm"), case.get("group")
            if now != last:  # the code of one algorithm is loaded once: an emulated flash is slow
                crypto.release()
                last = now
            why = guest_vectors.check(crypto, case)
            check(case["name"], why is None, why)
            del case, line
            gc.collect()
