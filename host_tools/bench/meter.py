"""Runs in the VM: a crypto provider that counts the instructions of the provider it wraps.

The modules of a key exchange are loaded before the count starts: it is of the primitives alone.
"""

_KEY_EXCHANGES = {14: "modp", 19: "p256", 31: "x25519"}


class Meter:
    def __init__(self, provider, fuel):
        self.provider = provider
        self.name = provider.name
        self.engines = provider.engines
        self.fuel = fuel
        self.spent = 0  # instructions of the primitives
        self.calls = 0
        self.empty = 0  # what a count of nothing would find
        self.count(len, b"")
        self.empty = self.spent
        before = fuel()
        self.count(len, b"")
        self.each = fuel() - before - self.empty  # what a count adds to the caller's instructions
        self.reset()

    def reset(self):
        self.spent = self.calls = 0

    def count(self, function, *arguments):
        self.calls += 1
        before = self.fuel()
        result = function(*arguments)
        self.spent += self.fuel() - before - self.empty
        return result

    def sha1(self, data):
        return self.count(self.provider.sha1, data)

    def prf(self, prf_id, key, data):
        return self.count(self.provider.prf, prf_id, key, data)

    def cipher(self, encr_id, key, integ_id, integ_key):
        return Counted(self, self.count(self.provider.cipher, encr_id, key, integ_id, integ_key))

    def key_exchange(self, group, random):
        __import__("uike.crypto.soft." + _KEY_EXCHANGES[group])
        return CountedExchange(self, self.count(self.provider.key_exchange, group, random))

    def verify(self, algorithm, public_key, message, signature):
        return self.count(self.provider.verify, algorithm, public_key, message, signature)

    def sign(self, algorithm, private_key, message, random):
        return self.count(self.provider.sign, algorithm, private_key, message, random)

    def public_key(self, private_key, random):
        return self.count(self.provider.public_key, private_key, random)

    def release(self):
        self.provider.release()


class Counted:
    high = None

    def __init__(self, meter, cipher):
        self.meter, self.cipher = meter, cipher
        self.iv_size, self.icv_size, self.block_size = cipher.iv_size, cipher.icv_size, cipher.block_size

    def seal(self, buf, aad, end):
        return self.meter.count(self.cipher.seal, buf, aad, end)

    def open(self, buf, aad, end):
        return self.meter.count(self.cipher.open, buf, aad, end)

    def wipe(self):
        self.cipher.wipe()


class CountedExchange:
    def __init__(self, meter, exchange):
        self.meter, self.exchange = meter, exchange
        self.public = exchange.public

    def shared(self, peer_public):
        return self.meter.count(self.exchange.shared, peer_public)

    def wipe(self):
        self.exchange.wipe()
