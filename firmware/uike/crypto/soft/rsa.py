"""RSA signatures, PKCS1-v1_5 and PSS (RFC 8017 sections 8.1, 8.2 and 9): verifying. Loaded for a signature.

Both schemes are verified by making the one encoded message that would be right, and comparing all of it: nothing is
parsed. The modulus has 2048 to 4096 bits, a multiple of eight. Signing is in rsa_sign.py.
"""

from uike.crypto import equal

# DigestInfo of SHA-2: the last byte of the object identifier and the digest's size are put in.
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def pkcs1(hash_id, digest, size):
    """EMSA-PKCS1-v1_5 (section 9.2): an encoded message of `size` bytes."""
    info = bytearray(_DIGEST_INFO)
    info[1] = 17 + len(digest)
    info[14] = hash_id - 1  # 1, 2, 3 for SHA-256, SHA-384, SHA-512
    info[18] = len(digest)
    return b"\0\1" + b"\xff" * (size - 22 - len(digest)) + b"\0" + info + digest


def pss(new, digest, salt, size):
    """EMSA-PSS (section 9.1.1): an encoded message of `size` bytes."""
    h = _hash(new, bytes(8) + digest + salt)
    block = bytearray(size - len(h) - 1)
    block[-len(salt) :] = salt
    block[-len(salt) - 1] = 1
    mask(new, h, block)
    block[0] &= 0x7F
    return bytes(block) + h + b"\xbc"


def mask(new, seed, block):
    """Combines a bytearray with MGF1 of the seed (appendix B.2.1)."""
    counter = at = 0
    while at < len(block):
        for byte in _hash(new, bytes(seed) + counter.to_bytes(4, "big")):
            if at < len(block):
                block[at] ^= byte
            at += 1
        counter += 1


def _hash(new, data):
    h = new()
    h.update(data)
    return h.digest()


def power(n, e, data):
    """data ** e mod n (RSAVP1) as long as the modulus; None for a key that is none, or data that is none of its."""
    size = len(n)
    if not 256 <= size <= 512 or not n[0] & 0x80 or not n[-1] & 1 or len(data) != size:
        return None
    exponent = int.from_bytes(e, "big")
    value, modulus = int.from_bytes(data, "big"), int.from_bytes(n, "big")
    if len(e) > 4 or exponent < 3 or not exponent & 1 or value >= modulus:
        return None
    return pow(value, exponent, modulus).to_bytes(size, "big")


def verify(is_pss, hash_id, new, public, digest, signature):
    """Whether a signature is one; public is (n, e), new() makes hash objects of the algorithm hash_id."""
    n, e = public
    message = power(n, e, signature)
    if message is None:
        return False
    size, length = len(message), len(digest)
    if not is_pss:
        return equal(message, pkcs1(hash_id, digest, size))
    block = bytearray(message[: size - length - 1])
    mask(new, message[size - length - 1 : size - 1], block)
    return equal(message, pss(new, digest, bytes(block[-length:]), size))
