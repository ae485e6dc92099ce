"""Runs on the unix MicroPython: the `esp32` provider against `soft`, on random bytes and on all ones."""

import os
import sys

from uike import iana, transient
from uike.crypto import esp32, soft

_AEAD = (
    (iana.ENCR_AES_GCM_16, 20, 0, 0),
    (iana.ENCR_AES_GCM_16, 36, 0, 0),
    (iana.ENCR_CHACHA20_POLY1305, 36, 0, 0),
)
_CBC = (
    (iana.ENCR_AES_CBC, 16, iana.AUTH_HMAC_SHA2_256_128, 32),
    (iana.ENCR_AES_CBC, 32, iana.AUTH_HMAC_SHA2_384_192, 48),
    (iana.ENCR_AES_CBC, 32, iana.AUTH_HMAC_SHA2_512_256, 64),
)
_ours, _theirs = esp32.Provider(), soft.Provider()


def _data(size, i):
    return os.urandom(size) if i % 3 else b"\xff" * size


def _cipher(suite, sizes):
    encr, key_size, integ, integ_size = suite
    wrong = 0
    for size in sizes:
        keys = encr, _data(key_size, size), integ, _data(integ_size, size)
        ours, theirs = _ours.cipher(*keys), _theirs.cipher(*keys)
        aad = size % 23
        end = aad + ours.iv_size + size
        packet = bytearray(_data(end + ours.icv_size, size))
        expected = bytearray(packet)
        plain = bytes(packet[:end])
        theirs.seal(expected, aad, end)
        ours.seal(packet, aad, end)
        wrong += packet != expected
        for at in (0, aad, end - 1, end, len(packet) - 1):
            packet[at] ^= 4
            before = bytes(packet)
            wrong += ours.open(packet, aad, end) or packet != before
            packet[at] ^= 4
        wrong += not ours.open(packet, aad, end) or packet[:end] != plain
    return wrong


def _same(seed):
    """A source that gives the same bytes each time."""
    return lambda n: seed[:n]


def _exchange(group, times):
    wrong = 0
    for _ in range(times):
        seed = os.urandom(64)
        ours = _ours.key_exchange(group, _same(seed))
        theirs = _theirs.key_exchange(group, _same(seed))
        other = _theirs.key_exchange(group, os.urandom).public
        wrong += ours.public != theirs.public or ours.shared(other) != theirs.shared(other)
    _ours.release()
    _theirs.release()
    return wrong


def _prf(sizes):
    wrong = 0
    for number in (iana.PRF_HMAC_SHA2_256, iana.PRF_HMAC_SHA2_384, iana.PRF_HMAC_SHA2_512):
        for size in sizes:
            key, data = _data(size % 200, size), _data(size, size)
            wrong += _ours.prf(number, key, data) != _theirs.prf(number, key, data)
    return wrong


def _reloaded():
    """Native modules that left memory when all that is transient did: none, for they would come back beside
    themselves. What is around them went."""
    there = set(sys.modules)
    transient.drop([name for name in there if ".esp32." not in name])
    gone = [name for name in there if name not in sys.modules]
    return len([name for name in gone if ".kernels" in name]) + (not gone)


def run():
    """Prints how many results differ, a line for each part, and which code was at work."""
    print("native" if esp32.kernels else "bytecode")
    for suite in _AEAD:
        print(_cipher(suite, list(range(0, 301, 3)) + [1400, 1401]))
    for suite in _CBC:
        print(_cipher(suite, list(range(0, 301, 48)) + [1408]))
    print(_prf(list(range(0, 301, 4)) + [111, 112, 127, 128, 129, 239, 240, 1400]))
    print(_exchange(iana.CURVE25519, 8), _exchange(iana.ECP_256, 4))
    print(_reloaded())
