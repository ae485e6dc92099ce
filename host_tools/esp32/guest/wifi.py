"""Runs on the board: joins a Wi-Fi network, and measures what memory that leaves."""

import time

import network

from proof.heap import system
from proof.measure import check, free, provider

_JOIN_MS = 20_000


def run(crypto_name, ssid, password):
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    free("free with Wi-Fi on")
    wlan.connect(ssid, password) if password else wlan.connect(ssid)
    start = time.ticks_ms()
    while not wlan.isconnected() and time.ticks_diff(time.ticks_ms(), start) < _JOIN_MS:
        time.sleep_ms(100)
    check("joined", wlan.isconnected(), "no Wi-Fi in 20 s")
    free("free with Wi-Fi joined")
    crypto = provider(crypto_name)
    from uike.crypto.drbg import Drbg
    from uike.endpoint import Endpoint

    endpoint = Endpoint([], crypto, Drbg(lambda n: bytes(n), crypto.prf))
    free("free with Wi-Fi and the engine")
    system("with Wi-Fi and the engine")
    del endpoint
    wlan.active(False)
