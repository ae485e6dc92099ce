"""The seed from boot to boot: replaced before anything is drawn, missed without harm, and never used by two boots."""

import hashlib

import pytest

from uike import reason
from uike.crypto import seed
from uike.crypto.drbg import Drbg
from uike.crypto.soft import Provider

PRF = Provider().prf


class PowerCut(BaseException):
    pass


class Store:
    """Named blobs; `fails` is raised at a write: before it, or with `torn` after that many bytes of it."""

    def __init__(self, **files):
        self.files = files
        self.fails = self.torn = self.unreadable = None
        self.writes = []

    def read(self, name):
        if self.unreadable:
            raise OSError(5)
        return self.files.get(name)

    def write(self, name, data):
        self.writes.append(bytes(data))
        if self.fails:
            if self.torn is not None:
                self.files[name] = bytes(data)[: self.torn]
            raise self.fails
        self.files[name] = bytes(data)


def boot(store, entropy="entropy"):
    """(random, reasons said) of a power-on with that entropy."""
    random = Drbg(lambda n: hashlib.shake_256(entropy.encode()).digest(512), PRF)
    return random, seed.reseed(random, store)


def test_each_boot_replaces_the_seed_and_speaks_differently_on_the_same_entropy():
    store = Store()
    seeds, spoken = set(), set()
    for index in range(5):
        random, said = boot(store)
        assert said == ([] if index else [reason.SEED_MISSING])
        seeds.add(store.files["seed"])
        spoken.add(random(32))
    assert len(seeds) == len(spoken) == 5 and not seeds & spoken
    assert {len(each) for each in seeds} == {32}


def test_both_the_seed_and_the_entropy_count():
    spoken = {boot(Store(seed=old), entropy)[0](32) for old in (b"a" * 32, b"b" * 32) for entropy in ("x", "y")}
    assert len(spoken) == 4


@pytest.mark.parametrize("old, said", [(b"", "SEED_SHORT"), (b"x" * 31, "SEED_SHORT"), (b"x" * 32, None)])
def test_a_short_seed_is_said_and_used_and_replaced(old, said):
    store = Store(seed=old)
    random, reasons = boot(store)
    assert reasons == ([getattr(reason, said)] if said else [])
    assert len(store.files["seed"]) == 32 and store.files["seed"] != old
    assert (random(32) == boot(Store())[0](32)) == (old == b"")


def test_a_seed_that_cannot_be_read_is_said():
    store = Store(seed=b"x" * 32)
    store.unreadable = True
    random, said = boot(store)
    assert said == [reason.SEED_UNREADABLE, reason.SEED_NOT_KEPT] and len(random(32)) == 32


def test_a_seed_that_cannot_be_written_is_said():
    store = Store(seed=b"x" * 32)
    store.fails = OSError(28)
    random, said = boot(store)
    assert said == [reason.SEED_NOT_KEPT] and len(random(32)) == 32


def test_a_write_that_is_lost_in_silence_is_said():
    store = Store(seed=b"x" * 32)
    store.write = lambda name, data: None
    assert boot(store)[1] == [reason.SEED_NOT_KEPT]


def test_the_power_goes_before_the_new_seed_is_written():
    """The next boot finds the old seed again: the first one must not have drawn anything but the new seed."""
    store = Store(seed=b"x" * 32)
    store.fails = PowerCut()
    drawn = []

    class Counting(Drbg):
        def __call__(self, n):
            drawn.append(Drbg.__call__(self, n))
            return drawn[-1]

    random = Counting(lambda n: bytes(range(256)) * 2, PRF)
    with pytest.raises(PowerCut):
        seed.reseed(random, store)
    assert drawn == store.writes and store.files["seed"] == b"x" * 32


@pytest.mark.parametrize("torn", [0, 1, 31])
def test_the_power_goes_while_the_new_seed_is_written(torn):
    store = Store(seed=b"x" * 32)
    store.fails, store.torn = PowerCut(), torn
    with pytest.raises(PowerCut):
        boot(store)
    store.fails = None
    assert boot(store)[1] == [reason.SEED_SHORT]
    assert boot(store)[1] == []


def test_the_secret_is_the_same_at_each_boot():
    store = Store()
    made = seed.keep(boot(store)[0], store)
    assert len(made) == 32 and seed.keep(boot(store, "other")[0], store) == made
    assert store.files["secret"] == made != store.files["seed"]


@pytest.mark.parametrize("torn", [0, 1, 31, 33])
def test_a_torn_secret_is_replaced(torn):
    store = Store(secret=b"x" * torn)
    made = seed.keep(boot(store)[0], store)
    assert len(made) == 32 and store.files["secret"] == made != b"x" * 32


@pytest.mark.parametrize("trouble", ["unreadable", "full", "torn"])
def test_no_secret_rather_than_one_for_a_single_boot(trouble):
    store = Store()
    random, _ = boot(store)
    if trouble == "unreadable":
        store.files["secret"], store.unreadable = b"s" * 32, True
    else:
        store.fails, store.torn = OSError(28), 5 if trouble == "torn" else None
    assert seed.keep(random, store) == b""
    assert trouble != "unreadable" or store.files["secret"] == b"s" * 32
