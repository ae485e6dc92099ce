"""Holds a crypto provider to one case of `cases.py`: runs on CPython, in the VM, on a unix MicroPython and on a board.

A case is a dict of numbers and hex strings, small enough for a line of JSON. Needs nothing but the firmware's `uike`;
takes one case at a time, so that a small heap will do. A board is driven the same way: import this file, make the
provider by its module's name, give `check` one case after the other.

    provider = load("uike.crypto.soft")
    run(provider, cases)        prints "FAIL <name>: <why>" for each failure, then "<passed> of <all>"
"""

import gc
import sys

from uike.crypto.drbg import Drbg
from uike.ike.keys import prf_plus

X25519, P256, MODP_2048 = 31, 19, 14  # RFC 7296 transform type 4
INVALID = "invalid"


def load(name):
    """A provider of the module with that dotted name."""
    __import__(name)
    return sys.modules[name].Provider()


def run(provider, cases):
    """Checks every case of an iterable."""
    count = passed = 0
    for case in cases:
        why = check(provider, case)
        count += 1
        passed += why is None
        if why is not None:
            print("FAIL", case["name"] + ":", why)
        provider.release()
        gc.collect()
    print(passed, "of", count)


def check(provider, case):
    """What is wrong with the provider's answer, in words; None when it is the published one. What the provider has
    loaded for it stays until its `release()`."""
    try:
        return _KINDS[case["kind"]](provider, case)
    except Exception as error:
        return "raised " + type(error).__name__


def _compare(what, got, expected):
    return None if bytes(got) == expected else what + " is " + bytes(got).hex()


def _hex(case, name):
    return bytes.fromhex(case[name])


def _sha1(provider, case):
    return _compare("digest", provider.sha1(_hex(case, "data")), _hex(case, "out"))


def _prf(provider, case):
    return _compare("prf", provider.prf(case["prf"], _hex(case, "key"), _hex(case, "data")), _hex(case, "out"))


def _prf_plus(provider, case):
    out = _hex(case, "out")
    return _compare("prf+", prf_plus(provider, case["prf"], _hex(case, "key"), _hex(case, "seed"), len(out)), out)


def _drbg(provider, case):
    """CAVP: seed, perhaps reseed, draw as many bytes as are shown, throw them away, and draw again."""
    out, reseed = _hex(case, "out"), _hex(case, "reseed")
    random = Drbg(lambda n: _hex(case, "entropy"), provider.prf)
    if reseed:
        random._update(reseed)  # CAVP's is shorter than what the platform gives
    random(len(out))
    return _compare("output", random(len(out)), out)


def _cipher(provider, case):
    """Sealing gives `sealed`, and opening that gives `plain`; or, when `plain` is "invalid", opening must refuse."""
    cipher = provider.cipher(case["encr"], _hex(case, "key"), case["integ"], _hex(case, "integ_key"))
    aad, sealed = _hex(case, "aad"), _hex(case, "sealed")
    head = aad + _hex(case, "iv")
    whole = head + sealed
    end = len(whole) - cipher.icv_size
    if case["plain"] == INVALID:
        return _refused(cipher, whole, len(aad), end)
    plain = head + _hex(case, "plain")
    if cipher.iv_size != len(head) - len(aad) or end != len(plain):
        return "sizes"
    buf = bytearray(plain + bytes(cipher.icv_size))
    cipher.seal(buf, len(aad), end)
    why = _compare("sealed", buf, whole)
    if why is None and not cipher.open(buf, len(aad), end):
        why = "refused what it should open"
    if why is None:
        why = _compare("opened", buf[:end], plain)
    if why is None:
        whole = bytearray(whole)
        whole[-1] ^= 1
        why = _refused(cipher, whole, len(aad), end)
    cipher.wipe()
    return why


def _refused(cipher, whole, aad, end):
    buf = bytearray(whole)
    if cipher.open(buf, aad, end) is not False:
        return "opened what it should refuse"
    return None if buf == whole else "touched what it refused"


class Fixed:
    """A source of random bytes whose first answer is the private value; the rest, for blinding, is arbitrary."""

    def __init__(self, first):
        self.first = first
        self.state = 1

    def __call__(self, n):
        if self.first is not None:
            first, self.first = self.first, None
            if len(first) != n:
                raise ValueError("private value")
            return first
        out = bytearray(n)
        for i in range(n):
            self.state = self.state * 48271 % 2147483647
            out[i] = self.state >> 8 & 255
        return bytes(out)


def private_source(group, private):
    """What makes a provider choose the private value given, in the published form.

    X25519: those 32 bytes. P-256: 1 + (40 bytes modulo (order - 1)) (FIPS 186-5 A.2.1). MODP: 32 bytes, the highest
    bit set.
    """
    if group == P256:
        private = (int.from_bytes(private, "big") - 1).to_bytes(40, "big")
    return Fixed(private)


def _ke(provider, case):
    group = case["group"]
    exchange = provider.key_exchange(group, private_source(group, _hex(case, "private")))
    why = None
    if "public" in case:
        why = _compare("public value", exchange.public, _hex(case, "public"))
    try:
        shared = exchange.shared(_hex(case, "peer"))
    except ValueError:
        shared = None
    exchange.wipe()
    if why is None and case["shared"] == INVALID:
        return None if shared is None else "accepted a bad public value"
    if why is None and shared is None:
        return "refused a good public value"
    return why or _compare("shared secret", shared, _hex(case, "shared"))


def _verify(provider, case):
    """The key may be one that we refuse, or no DER: then there is nothing to verify with."""
    from uike.pki import key, signature
    from uike.wire.refusal import Refusal

    try:
        public = key.parse_public(_hex(case, "key"))
    except Refusal:
        public = None
    sound = signature.verify(provider, case["algorithm"], public, _hex(case, "data"), _hex(case, "signature"))
    if sound not in (True, False):
        return "no answer"
    if sound == (case["result"] != INVALID):
        return None
    return "accepted a bad signature" if sound else "refused a good signature"


def _sign(provider, case):
    """Signs as published, knows the public key, and verifies."""
    from uike.pki import key, signature

    private = key.parse_private(_hex(case, "private"))
    data = _hex(case, "data")
    out = signature.sign(provider, case["algorithm"], private, data, Fixed(None))
    why = _compare("signature", out, _hex(case, "out"))
    if why is None:
        public = provider.public_key(private, Fixed(None))
        if not signature.verify(provider, case["algorithm"], public, data, out):
            why = "does not verify"
        elif signature.verify(provider, case["algorithm"], public, data + b"x", out):
            why = "verifies another message"
    return why


_KINDS = {
    "sha1": _sha1,
    "prf": _prf,
    "prf_plus": _prf_plus,
    "drbg": _drbg,
    "cipher": _cipher,
    "ke": _ke,
    "verify": _verify,
    "sign": _sign,
}
