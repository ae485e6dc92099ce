"""The power-on test: each known answer fails when its primitive is broken in one bit, and then the appliance stops."""

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from host_tools import demo, image, reasons, records
from host_tools.emulator.board import EmulatedBoard
from host_tools.emulator.clock import VirtualClock
from host_tools.emulator.host import Host
from host_tools.emulator.network import Switch
from host_tools.emulator.outcome import Outcome
from host_tools.emulator.vm import run_script
from tests.interop.test_certificates import Party
from tests.world import connection
from uike import iana, reason
from uike.app import boot
from uike.app import run as appliance
from uike.crypto import selftest
from uike.crypto.soft import Provider as SoftProvider
from uike.hal.cpython.crypto import _MODP_2048
from uike.hal.cpython.crypto import Provider as HostProvider

HERE = Path(__file__).parent
DEMO = {(1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0), (5, 0, 0)}
ALWAYS = ["constant-time comparison", "HMAC-SHA2-256", "HMAC_DRBG", "SHA-1"]


def asked(provider, transforms=None, trace=lambda *event: None):
    """{name: whether it is sound} of a self-test."""
    return {name.decode(): sound for name, sound in selftest.run(provider, trace, transforms)}


@pytest.mark.parametrize("provider", [HostProvider, SoftProvider])
def test_every_primitive_is_sound(provider):
    found = asked(provider())
    assert len(found) == 21 and all(found.values()), found


def test_only_what_may_be_negotiated_is_asked():
    assert list(asked(HostProvider(), set())) == ALWAYS
    assert list(asked(HostProvider(), DEMO)) == [*ALWAYS, "AES-CBC-128, HMAC-SHA2-256", "X25519"]
    gcm = {(1, 20, 256), (2, 6, 0), (4, 19, 0)}
    assert list(asked(HostProvider(), gcm)) == [*ALWAYS, "HMAC-SHA2-384", "AES-GCM-256", "P-256"]


def test_signatures_are_asked_where_there_are_certificates():
    for kind, name in ((iana.KEY_RSA, "RSA"), (iana.KEY_P256, "ECDSA on P-256"), (iana.KEY_ED25519, "Ed25519")):
        assert list(asked(HostProvider(), {(iana.CERT, kind, 0)})) == [*ALWAYS, name]
    assert list(asked(HostProvider(), {(iana.CERT, iana.KEY_P384, 0)})) == ALWAYS


@pytest.mark.parametrize("kind", ["p256", "ed25519", "rsa2048"])
def test_the_certificates_of_a_configuration_say_which(kind):
    authority = Party(kind, "A CA")
    der = (authority.certificate.public_bytes(serialization.Encoding.DER),)
    numbers = {"p256": iana.KEY_P256, "ed25519": iana.KEY_ED25519, "rsa2048": iana.KEY_RSA}
    for changes in ({"cert": der, "cacerts": ()}, {"cacerts": der}, {"cacerts": (b"\x30\x00" * 8, *der)}):
        assert boot._keys([connection(True), connection(False, **changes)]) == {(iana.CERT, numbers[kind], 0)}
    assert boot._keys([connection(True)]) == set()


def test_the_values_for_modp_2048():
    """They are nobody's vector: here they are computed anew."""
    for base, known in ((2, "73c6beb6"), (int("55" * 256, 16), "29f11711")):
        power = pow(base, (1 << 255) + 1, _MODP_2048).to_bytes(256, "big")
        assert HostProvider().prf(iana.PRF_HMAC_SHA2_256, b"", power).hex().startswith(known)


# -- one bit wrong -----------------------------------------------------------------------------------------------------


def flipped(data, bit=0):
    out = bytearray(data)
    out[bit // 8 % len(out)] ^= 1 << bit % 8
    return bytes(out)


class Cipher:
    """A cipher in which one thing is wrong."""

    def __init__(self, cipher, fault):
        self.cipher, self.fault = cipher, fault

    def seal(self, buf, aad, end):
        self.cipher.seal(buf, aad, end)
        if self.fault == "seal":
            buf[aad + self.cipher.iv_size] ^= 0x10
        if self.fault == "icv":
            buf[end + self.cipher.icv_size - 1] ^= 0x01

    def open(self, buf, aad, end):
        if self.fault == "check":  # takes everything
            whole = bytearray(buf)
            if not self.cipher.open(buf, aad, end):
                buf[:] = whole
            return True
        if self.fault == "refuse":
            return False
        good = self.cipher.open(buf, aad, end)
        if good and self.fault == "open":
            buf[end - 1] ^= 0x80
        if not good and self.fault == "spoil":
            buf[aad + self.cipher.iv_size] ^= 0x01
        return good


class Exchange:
    def __init__(self, exchange, fault):
        self.exchange, self.fault = exchange, fault
        self.public = flipped(exchange.public, 5) if fault == "public" else exchange.public

    def shared(self, peer_public):
        secret = self.exchange.shared(peer_public)
        return flipped(secret, 77) if self.fault == "shared" else secret


SIGNATURES = {"RSA": iana.KEY_RSA, "ECDSA on P-256": iana.KEY_P256, "Ed25519": iana.KEY_ED25519}


class Broken(HostProvider):
    """A provider in which one operation of one algorithm is wrong: (operation, algorithm, fault)."""

    def __init__(self, operation, algorithm=None, fault=None, engines=()):
        self.broken = operation, algorithm
        self.fault = fault
        self.engines = engines

    def _hit(self, operation, algorithm=None):
        return (operation, algorithm) == self.broken

    def sha1(self, data):
        good = HostProvider.sha1(self, data)
        return flipped(good, 159) if self._hit("sha1") else good

    def prf(self, prf_id, key, data):
        good = HostProvider.prf(self, prf_id, key, data)
        return flipped(good, 11) if self._hit("prf", prf_id) else good

    def cipher(self, encr_id, key, integ_id, integ_key):
        bits = len(key) * 8 - (0 if encr_id == iana.ENCR_AES_CBC else 32)
        hit = self._hit("cipher", (encr_id, bits, integ_id))
        return Cipher(HostProvider.cipher(self, encr_id, key, integ_id, integ_key), self.fault if hit else None)

    def verify(self, algorithm, public_key, message, signature):
        good = HostProvider.verify(self, algorithm, public_key, message, signature)
        return self.fault == "takes" if self._hit("verify", public_key[0]) else good

    def key_exchange(self, group, random):
        hit = self._hit("key_exchange", group)
        return Exchange(HostProvider.key_exchange(self, group, random), self.fault if hit else None)


CIPHERS = {
    f"AES-CBC-{bits}, HMAC-SHA2-{size}": (iana.ENCR_AES_CBC, bits, integ)
    for bits in (128, 256)
    for size, integ in ((256, 12), (384, 13), (512, 14))
} | {
    "AES-GCM-128": (iana.ENCR_AES_GCM_16, 128, 0),
    "AES-GCM-256": (iana.ENCR_AES_GCM_16, 256, 0),
    "ChaCha20-Poly1305": (iana.ENCR_CHACHA20_POLY1305, 256, 0),
}
GROUPS = {"X25519": iana.CURVE25519, "P-256": iana.ECP_256, "MODP-2048": iana.MODP_2048}
FAULTS = (
    [("SHA-1", ("sha1",))]
    + [(f"HMAC-SHA2-{size}", ("prf", number)) for size, number in ((256, 5), (384, 6), (512, 7))]
    + [
        (name, ("cipher", algorithm, fault))
        for name, algorithm in CIPHERS.items()
        for fault in ("seal", "icv", "check", "refuse", "open", "spoil")
    ]
    + [(name, ("key_exchange", group, fault)) for name, group in GROUPS.items() for fault in ("public", "shared")]
    + [(name, ("verify", kind, fault)) for name, kind in SIGNATURES.items() for fault in ("takes", "refuses")]
)


@pytest.mark.parametrize("name, broken", FAULTS, ids=[f"{name}: {broken[-1]}" for name, broken in FAULTS])
def test_one_wrong_bit_is_found(name, broken):
    found = asked(Broken(*broken))
    failed = [each for each, sound in found.items() if not sound]
    if broken[0] == "prf" and broken[1] == iana.PRF_HMAC_SHA2_256:
        assert {"HMAC-SHA2-256", "HMAC_DRBG"} <= set(failed)  # all that stands on it
    elif broken[0] == "prf":
        assert name in failed
    else:
        assert failed == [name]


def test_a_wrong_drbg_is_found(monkeypatch):
    class Wrong(selftest.Drbg):
        def __call__(self, n):
            return flipped(super().__call__(n))

    monkeypatch.setattr(selftest, "Drbg", Wrong)
    assert [name for name, sound in asked(HostProvider(), set()).items() if not sound] == ["HMAC_DRBG"]


@pytest.mark.parametrize(
    "equal",
    [lambda a, b: True, lambda a, b: False, lambda a, b: bytes(a)[:-1] == bytes(b)[:-1], lambda a, b: a[0] == b[0]],
    ids=["always", "never", "not the last byte", "the first byte only"],
)
def test_a_wrong_comparison_is_found(monkeypatch, equal):
    monkeypatch.setattr(selftest, "equal", equal)
    assert [name for name, sound in asked(HostProvider(), set()).items() if not sound] == ["constant-time comparison"]


def test_a_primitive_that_raises_is_broken_and_one_without_memory_is_not():
    class Raising(HostProvider):
        error = ZeroDivisionError

        def sha1(self, data):
            raise self.error

    assert asked(Raising(), set())["SHA-1"] is False
    Raising.error = MemoryError
    with pytest.raises(MemoryError):
        asked(Raising(), set())


# -- accelerators ------------------------------------------------------------------------------------------------------


class Engine:
    name = "MPI"

    def __init__(self, answer):
        self.answer = answer
        self.retired = 0

    def check(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def retire(self):
        self.retired += 1


@pytest.mark.parametrize("answer, retired", [(True, 0), (False, 1), (None, 1), (OSError(5), 1), (KeyError("x"), 1)])
def test_an_engine_that_fails_its_check_is_retired_and_said(answer, retired):
    said = []
    engine = Engine(answer)
    provider = HostProvider()
    provider.engines = (engine,)
    found = asked(provider, DEMO, lambda *event: said.append(event))
    assert all(found.values()) and engine.retired == retired
    assert said == [(31, 0, b"MPI")] * retired


def test_an_engine_that_passes_its_check_and_breaks_a_primitive_is_retired_too():
    class Accelerated(Broken):
        def _hit(self, *what):
            return not self.engines[0].retired and Broken._hit(self, *what)

    said, engine = [], Engine(True)
    provider = Accelerated("key_exchange", iana.MODP_2048, "shared", (engine,))
    found = asked(provider, {(4, iana.MODP_2048, 0)}, lambda *event: said.append(event))
    assert found["MODP-2048"] and engine.retired == 1 and said == [(31, 0, b"MPI")]


def test_an_engine_that_breaks_a_signature_is_retired():
    class Accelerated(Broken):
        def _hit(self, *what):
            return not self.engines[0].retired and Broken._hit(self, *what)

    engine = Engine(True)
    provider = Accelerated("verify", iana.KEY_P256, "refuses", (engine,))
    assert asked(provider, {(iana.CERT, iana.KEY_P256, 0)})["ECDSA on P-256"] and engine.retired == 1


def test_the_second_power_of_modp_2048_is_for_accelerators():
    """It takes as long again; without an accelerator only a test of everything takes it."""
    broken = ("key_exchange", iana.MODP_2048, "shared")
    group = {(4, iana.MODP_2048, 0)}
    assert asked(Broken(*broken), group)["MODP-2048"]
    assert not asked(Broken(*broken, engines=(Engine(True),)), group)["MODP-2048"]


# -- the appliance -----------------------------------------------------------------------------------------------------


class World:
    """One emulated board, switched on for a moment in virtual time; `events` are what it said."""

    def __init__(self, runtime, tmp_path=None, source=None, entropy=None, entry=None, **files):
        clock = VirtualClock()
        config = json.dumps(demo.configurations("5a" * 32)[0]).encode()
        self.host = Host(
            "a", clock, Switch(clock).attach(demo.INITIATOR), seed=1, files={"config.json": config, **files}
        )
        if entropy:
            self.host.entropy = entropy
        self.events, self.outcome = [], Outcome()
        self.host.on_line = self._line
        built = None
        if source:
            image.write(image.compile_image()[0], tmp_path)
            image.write(image.compile_modules({"main": source}), tmp_path)
            built = image.Image(tmp_path, "", {})
        self.board = EmulatedBoard(self.host, runtime, heap="96k", image=built, entry=entry)
        self.board.start()
        clock.run(lambda: False, limit_ms=500)
        self.host.stop()
        clock.run(lambda: self.board.verdict)

    def _line(self, line):
        event = records.parse(line)
        self.events.append(event)
        if event:
            self.outcome.event(event)

    def said(self, name):
        return [event.fields for event in self.events if event and event.name == name]


# A board with a provider of a broken SHA-1, for either runtime.
BREAK_SHA1 = """
def spoiled(provider):
    class Broken(provider):
        def sha1(self, data):
            good = bytearray(provider.sha1(self, data))
            good[19] ^= 1
            return bytes(good)
    return Broken()
"""
SPOILED = (
    BREAK_SHA1
    + """
from uike.app.run import run
from uike.crypto.soft import Provider
from uike.hal import board as platform_board
board = platform_board()
board.crypto = lambda: spoiled(Provider)
run(board)
"""
)


def broken_entry(board):
    space = {}
    exec(BREAK_SHA1, space)
    board.crypto = lambda: space["spoiled"](HostProvider)
    appliance.run(board)


@pytest.mark.parametrize("runtime", ["vm", "cpython"])
def test_a_broken_primitive_stops_the_appliance(runtime, tmp_path):
    world = World(runtime, tmp_path, SPOILED if runtime == "vm" else None, entry=broken_entry)
    assert world.board.verdict.ok
    assert world.said("stopped") == [{"reason": reason.SELF_TEST_FAILED, "detail": b"SHA-1"}]
    assert not world.said("negotiating") and not world.said("self_test")
    assert world.outcome.failure()["reason"] == "SELF_TEST_FAILED" and "SHA-1" in world.outcome.failure()["text"]


@pytest.mark.parametrize("runtime", ["vm", "cpython"])
@pytest.mark.parametrize("entropy, number", [(bytes, "ENTROPY_FAILED"), (lambda n: b"", "NO_ENTROPY")])
def test_a_broken_source_of_entropy_stops_the_appliance(runtime, entropy, number):
    if runtime == "vm" and number == "NO_ENTROPY":

        def entropy(n):
            raise OSError(19)

    world = World(runtime, entropy=entropy)
    assert world.board.verdict.ok
    assert world.said("stopped") == [{"reason": getattr(reason, number), "detail": b""}]
    assert not world.said("negotiating") and "seed" not in world.host.files


@pytest.mark.parametrize("runtime", ["vm", "cpython"])
def test_a_sound_board_says_so_and_replaces_its_seed(runtime):
    world = World(runtime)
    assert world.said("self_test") == [{"passed": 6, "elapsed_ms": 0}]
    assert world.said("seed") == [{"reason": reason.SEED_MISSING}]
    assert world.said("negotiating") and len(world.host.files["seed"]) == 32
    again = World(runtime, seed=world.host.files["seed"])
    assert not again.said("seed") and again.host.files["seed"] != world.host.files["seed"]
    assert not again.board.violations


def test_a_source_that_breaks_in_operation_stops_the_appliance(monkeypatch):
    """The engine makes drops of exceptions; a failure goes past it."""
    draws = []

    def entropy(n):
        draws.append(n)
        return os.urandom(n) if len(draws) < 3 else bytes(n)

    monkeypatch.setattr("uike.crypto.drbg._RESEED", 3)
    world = World("cpython", entropy=entropy)
    assert len(draws) == 3 and world.said("negotiating")
    assert world.said("stopped") == [{"reason": reason.ENTROPY_FAILED, "detail": b""}]


def test_every_new_reason_has_its_words():
    for number in range(reason.SELF_TEST_FAILED, reason.SEED_NOT_KEPT + 1):
        assert number in reasons.NAMES and reasons.remedy(number) and "unknown" not in reasons.text(number)


# -- in the VM ---------------------------------------------------------------------------------------------------------


def guest(transforms):
    stdout, _, verdict = run_script(HERE / "guest_selftest.py", "96k", {"transforms": f"WANTED = {transforms!r}"})
    assert verdict.ok, verdict
    *rows, last = [line.split("\t") for line in stdout.splitlines()]
    return {name: (sound == "True", int(fuel), int(heap)) for name, sound, fuel, heap in rows}, last


def test_all_of_it_in_96_kilobytes_of_the_vm():
    rows, (_, left, names, growth) = guest(None)
    assert len(rows) == 21 and all(sound for sound, _, _ in rows.values())
    assert left == "[]" and int(growth) <= 16  # nothing stays but names, once
    assert int(names) <= 3_700
    assert max(heap for _, _, heap in rows.values()) <= 29_500


def test_what_the_demo_s_configuration_costs():
    rows, (_, left, names, growth) = guest(DEMO)
    assert list(rows) == [*ALWAYS, "AES-CBC-128, HMAC-SHA2-256", "X25519"]
    assert sum(fuel for _, fuel, _ in rows.values()) <= 318_000_000
    assert left == "[]" and int(growth) <= 16


def test_what_certificates_cost_beside():
    """A chip does some 250 million instructions in a second."""
    rows, (_, left, _, growth) = guest({(iana.CERT, kind, 0) for kind in SIGNATURES.values()})
    most = {"RSA": 40_000_000, "ECDSA on P-256": 254_000_000, "Ed25519": 310_000_000}
    assert {name: rows[name][1] <= limit for name, limit in most.items()} == dict.fromkeys(most, True), rows
    assert left == "[]" and int(growth) <= 16
