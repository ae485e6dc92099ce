"""Runs on the board: what memory there is, and what is left of it with the firmware loaded."""

import gc

from proof.measure import figure, free, provider


def run(crypto_name, at_the_prompt):
    figure("free at the prompt", at_the_prompt, "bytes")
    system("at the prompt")
    crypto = provider(crypto_name)
    free("free with the crypto provider")
    from uike.crypto.drbg import Drbg
    from uike.endpoint import Endpoint

    endpoint = Endpoint([], crypto, Drbg(lambda n: bytes(n), crypto.prf))
    free("free with the engine")
    figure("used", gc.mem_alloc(), "bytes")
    system("with the engine")
    del endpoint


def system(when):
    """What is left outside of Python's heap, for Wi-Fi and its buffers."""
    import esp32

    regions = esp32.idf_heap_info(esp32.HEAP_DATA)
    figure("system free " + when, sum([region[1] for region in regions]), "bytes")
    figure("system largest block " + when, max([region[2] for region in regions]), "bytes")
