"""Known answers of signatures at power-on, where a connection has certificates. For `uike.crypto.selftest`.

What we sign is not asked here: a provider verifies each of its signatures before it lets go of it (see the contract),
with what is tested here. Sources of the values:

    RSA, PKCS #1 v1.5, 2048 bits    Wycheproof, rsa_signature_2048_sha256, test 2
    ECDSA on P-256                  RFC 6979 appendix A.2.5, SHA-256, "sample"
    Ed25519                         RFC 8032 section 7.1, test 2
"""

from binascii import unhexlify

from uike import iana


def _verify(crypto, algorithm, key, message, signature):
    """Whether it takes a good signature, and refuses one out of range: that costs nothing, one in it a second more."""
    good = unhexlify(signature)
    return crypto.verify(algorithm, key, message, good) and not crypto.verify(
        algorithm, key, message, b"\xff" * len(good)
    )


def rsa(crypto):
    n = unhexlify(
        b"a2b451a07d0aa5f96e455671513550514a8a5b462ebef717094fa1fee82224e637f9746d3f7cafd31878d80325b6ef5a"
        b"1700f65903b469429e89d6eac8845097b5ab393189db92512ed8a7711a1253facd20f79c15e8247f3d3e42e46e48c98e"
        b"254a2fe9765313a03eff8f17e1a029397a1fa26a8dce26f490ed81299615d9814c22da610428e09c7d9658594266f5c0"
        b"21d0fceca08d945a12be82de4d1ece6b4c03145b5d3495d4ed5411eb878daf05fd7afc3e09ada0f1126422f590975a19"
        b"69816f48698bcbba1b4d9cae79d460d8f9f85e7975005d9bc22c4e5ac0f7c1a45d12569a62807d3b9a02e5a530e77306"
        b"6f453d1f5b4c2e9cf7820283f742b9d5"
    )
    return _verify(
        crypto,
        iana.RSASSA_PKCS1 + iana.SHA2_256,
        (iana.KEY_RSA, n, b"\x01\x00\x01"),
        bytes(20),
        b"8a1b220cb2ab415dc760eb7f5bb10335a3cca269d7dbbf7d0962ba79f9cf7b43a5fc09c99a1584f07403473d6c189a83"
        b"6897a5b6f8ea9fa22d601e6ba5f7411fe27c638b81b1a22363583a80fce8c7df3e40fb51bd0e60d0a6653f79f3bcb7ec"
        b"3e9dc14cfb5b31ab1735bca692d50ac03f979dda92747c6430f8045efa3513ba6e0ce3e9e35570e1c30c8ebe589b4419"
        b"2e1344ca83dfa576fc6fdc7bf1cd7cee875b001c8c02ce8d602769e4bd9d241c4857182a0089a8b67644e73eef105c55"
        b"0efa47a40874289395ac0c4e02fd4ba98e130a4c2d1b95521c6af4a002ac3bdc6e52122ae4c08cc3da1c896e059acbdd"
        b"ec574ac0432f6103dd97273d8803c102",
    )


def p256(crypto):
    point = unhexlify(
        b"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc"
        b"64f2f1b20c2d7e9f5177a3c294d4462299"
    )
    return _verify(
        crypto,
        iana.ECDSA + iana.SHA2_256,
        (iana.KEY_P256, point),
        b"sample",
        b"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65"
        b"f3e900dbb9aff4064dc4ab2f843acda8",
    )


def ed25519(crypto):
    return _verify(
        crypto,
        iana.EDDSA + iana.HASH_IDENTITY,
        (iana.KEY_ED25519, unhexlify(b"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")),
        b"\x72",
        b"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        b"387b2eaeb4302aeeb00d291612bb0c00",
    )


# (name, kind of key, function)
TESTS = ((b"RSA", iana.KEY_RSA, rsa), (b"ECDSA on P-256", iana.KEY_P256, p256), (b"Ed25519", iana.KEY_ED25519, ed25519))
