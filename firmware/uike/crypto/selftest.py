"""Known answers at power-on: nothing that gives a wrong one is used. Loaded by `uike.app.boot`, then dropped.

Each primitive that the configuration can lead to is asked through the provider, the cheapest first. Names and values
are bytes: they leave no interned strings behind. Sources of the values:

    HMAC                 RFC 4231 section 4.3
    HMAC_DRBG            NIST CAVS 14.3, HMAC_DRBG.rsp: SHA-256 without reseed, the first one, of its answer 32 bytes
    SHA-1                FIPS 180-4, NIST's example of one block
    AES-CBC              NIST SP 800-38A F.2.1 and F.2.5, two blocks; the ICV is what the HMAC, tested before, says
    AES-GCM              McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 4 and 16
    ChaCha20-Poly1305    RFC 7634 appendix B
    X25519               RFC 7748 section 6.1
    P-256                RFC 5903 section 8.1
    MODP-2048            RFC 3526 section 3: 2 and 5555... to the power of 2**255 + 1, as HMACs of 256 bytes

MODP-2048 costs as much as the rest: its second power is taken when there is an accelerator, or to test everything.
"""

from binascii import unhexlify

from uike import event, iana
from uike.crypto import equal
from uike.crypto.drbg import Drbg


def run(crypto, trace, transforms=None):
    """Yields (name, whether it is sound) of each primitive. A broken accelerator is retired, and that is traced.

    transforms: a set of (type, id, key bits) that may be negotiated, and of (CERT, kind of key, 0) that certificates
    have; None for all that there are.
    """
    engines = []
    for engine in crypto.engines:
        if check(engine.check, ()):
            engines.append(engine)
        else:
            _retire((engine,), trace)
    for name, needs, function, arguments in _tests(transforms, transforms is None or len(engines) > 0):
        if transforms is None or all([need in transforms for need in needs]):
            sound = check(function, (crypto,) + arguments)
            if not sound and engines:
                _retire(engines, trace)
                engines.clear()
                sound = check(function, (crypto,) + arguments)
            yield name, sound


def check(function, arguments):
    """Whether it says yes; an exception of whatever kind is a no: hardware may be broken in any way."""
    try:
        return bool(function(*arguments))
    except MemoryError:
        raise  # says nothing of the primitive
    except Exception:
        return False


def _retire(engines, trace):
    for engine in engines:
        engine.retire()
        trace(event.ENGINE_RETIRED, 0, engine.name.encode())


def _tests(transforms, more):
    """Rows (name, transforms that must all be there for it, function, its further arguments)."""
    yield b"constant-time comparison", (), _equal, ()
    yield b"HMAC-SHA2-256", (), _hmac, (iana.PRF_HMAC_SHA2_256,)
    yield b"HMAC_DRBG", (), random, ()
    yield b"SHA-1", (), sha1, ()
    sha2 = (
        (b"256", iana.PRF_HMAC_SHA2_256, iana.AUTH_HMAC_SHA2_256_128),
        (b"384", iana.PRF_HMAC_SHA2_384, iana.AUTH_HMAC_SHA2_384_192),
        (b"512", iana.PRF_HMAC_SHA2_512, iana.AUTH_HMAC_SHA2_512_256),
    )
    for size, prf_id, integ_id in sha2:
        integ = (iana.INTEG, integ_id, 0)
        if prf_id != iana.PRF_HMAC_SHA2_256:
            yield b"HMAC-SHA2-" + size, ((iana.PRF, prf_id, 0),), _hmac, (prf_id,)
        for bits in (128, 256):
            needs = ((iana.ENCR, iana.ENCR_AES_CBC, bits), integ)
            yield b"AES-CBC-%d, HMAC-SHA2-" % bits + size, needs, cbc, (bits, integ_id, prf_id)
    for bits in (128, 256):
        yield b"AES-GCM-%d" % bits, ((iana.ENCR, iana.ENCR_AES_GCM_16, bits),), gcm, (bits,)
    yield b"ChaCha20-Poly1305", ((iana.ENCR, iana.ENCR_CHACHA20_POLY1305, 0),), chacha20poly1305, ()
    yield b"X25519", ((iana.KE_METHOD, iana.CURVE25519, 0),), x25519, ()
    yield b"P-256", ((iana.KE_METHOD, iana.ECP_256, 0),), p256, ()
    yield b"MODP-2048", ((iana.KE_METHOD, iana.MODP_2048, 0),), modp, (more,)
    if transforms is None or [1 for kind, _, _ in transforms if kind == iana.CERT]:
        from uike.crypto import known_signatures

        for name, kind, function in known_signatures.TESTS:
            yield name, ((iana.CERT, kind, 0),), function, ()


def _equal(crypto):
    same = equal(b"\x5a\xa5", bytearray(b"\x5a\xa5")) and not equal(b"\x5a\xa5", b"\x5a")
    return same and not [bit for bit in range(16) if equal(b"\x5a\xa5", (0x5AA5 ^ 1 << bit).to_bytes(2, "big"))]


def _hmac(crypto, prf_id):
    known = {
        iana.PRF_HMAC_SHA2_256: b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        iana.PRF_HMAC_SHA2_384: b"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca"
        b"5e69e2c78b3239ecfab21649",
        iana.PRF_HMAC_SHA2_512: b"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75"
        b"c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    }
    return crypto.prf(prf_id, b"Jefe", b"what do ya want for nothing?") == unhexlify(known[prf_id])


def random(crypto):
    seed = unhexlify(
        b"ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488"  # entropy
        b"659ba96c601dc69fc902940805ec0ca8"  # nonce
    )
    source = Drbg(lambda n: seed, crypto.prf)
    source(128)  # the vector is the second of two requests
    return source(128)[:32] == unhexlify(b"e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89")


def sha1(crypto):
    return crypto.sha1(b"abc") == unhexlify(b"a9993e364706816aba3e25717850c26c9cd0d89d")


# -- ciphers ---------------------------------------------------------------------------------------------------------


def cipher(crypto, arguments, aad, iv, data, value):
    """Whether it seals data to the value known, ciphertext and ICV, opens that, and opens nothing else."""
    start, end = len(aad) + len(iv), len(aad) + len(iv) + len(data)
    buf = bytearray(aad + iv + data + bytes(len(value) - len(data)))
    crypto.cipher(*arguments).seal(buf, len(aad), end)
    if buf[start:] != value:
        return False
    opener = crypto.cipher(*arguments)
    for at in (start, len(buf) - 1):  # of the ciphertext, of the ICV
        buf[at] ^= 1
        if opener.open(buf, len(aad), end):
            return False
        buf[at] ^= 1
        if buf[start:] != value:  # what is refused is left alone
            return False
    return opener.open(buf, len(aad), end) and buf[start:end] == data


def cbc(crypto, bits, integ_id, prf_id):
    known = {
        128: (
            b"2b7e151628aed2a6abf7158809cf4f3c",
            b"7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
        ),
        256: (
            b"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            b"f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
        ),
    }
    key, sealed = [unhexlify(text) for text in known[bits]]
    plain = unhexlify(b"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    iv, size = bytes(range(16)), 16 + 8 * (prf_id - iana.PRF_HMAC_SHA2_256)
    integ_key = bytes(range(2 * size))
    sealed += crypto.prf(prf_id, integ_key, b"esp header" + iv + sealed)[:size]
    return cipher(crypto, (iana.ENCR_AES_CBC, key, integ_id, integ_key), b"esp header", iv, plain, sealed)


def gcm(crypto, bits):
    known = {
        128: b"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c"
        b"7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
        256: b"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d"
        b"a7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    }
    key = unhexlify(b"feffe9928665731c6d6a8f9467308308") * (bits // 128) + unhexlify(b"cafebabe")
    aad, iv = unhexlify(b"feedfacedeadbeeffeedfacedeadbeefabaddad2"), unhexlify(b"facedbaddecaf888")
    plain = unhexlify(
        b"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953"
        b"2fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    return cipher(crypto, (iana.ENCR_AES_GCM_16, key, 0, b""), aad, iv, plain, unhexlify(known[bits]))


def chacha20poly1305(crypto):
    key = bytes(range(0x80, 0xA0)) + unhexlify(b"a0a1a2a3")
    aad = unhexlify(b"c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029")
    iv, plain = unhexlify(b"1011121314151617"), unhexlify(b"0000000c000040010000000a00")
    sealed = unhexlify(b"610394701f8d017f7c129248896b71bfe25236efd7cdc67066906315b2")
    return cipher(crypto, (iana.ENCR_CHACHA20_POLY1305, key, 0, b""), aad, iv, plain, sealed)


# -- key exchanges ---------------------------------------------------------------------------------------------------


def key_exchange(crypto, group, value):
    """A key exchange with a private value of ours, and a one wherever it blinds."""
    draws = [unhexlify(value)]
    return crypto.key_exchange(group, lambda n: draws.pop() if draws else bytes(n - 1) + b"\x01")


def x25519(crypto):
    ours = key_exchange(crypto, iana.CURVE25519, b"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    theirs = unhexlify(b"de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    return ours.public == unhexlify(
        b"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    ) and ours.shared(theirs) == unhexlify(b"4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")


def p256(crypto):
    # The RFC's private value less one: 40 bytes are drawn, reduced modulo the order less one, and one is added.
    ours = key_exchange(
        crypto, iana.ECP_256, b"0000000000000000c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1432"
    )
    theirs = unhexlify(
        b"d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
        b"56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab"
    )
    return ours.public == unhexlify(
        b"dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
        b"5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3"
    ) and ours.shared(theirs) == unhexlify(b"d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de")


def modp(crypto, more):
    # With a blinding of one, 2**255 + 1 is split into 1 and 2**255: 255 squarings, half of what others take.
    ours = key_exchange(crypto, iana.MODP_2048, b"80" + b"00" * 30 + b"01")
    found = [ours.public]
    if more:
        found.append(ours.shared(b"\x55" * 256))
    known = (
        b"73c6beb6939e1970f011ad39f4c95ac05684dbf9b00f84c5200967cefd339bb9",
        b"29f117112c731bc6169ffd8389b43eaa11854841be79d4504d24cf456fff03d3",
    )
    return [crypto.prf(iana.PRF_HMAC_SHA2_256, b"", value) for value in found] == [
        unhexlify(text) for text in known[: len(found)]
    ]
