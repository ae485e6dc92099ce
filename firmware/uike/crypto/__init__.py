"""The crypto contract: one page that every provider keeps (RFC 7296 sections 2.13, 2.14, 3.14; RFC 8247).

A provider is an instance of a class `Provider`: `uike.crypto.soft` (pure MicroPython, the reference) or
`uike.hal.cpython.crypto` (OpenSSL, CPython only). All are held to the same vectors and to each other.

    name                                "soft", "host"
    sha1(data) -> 20 bytes              only for NAT detection and CERTREQ (RFC 7296 sections 2.23 and 3.7)
    prf(prf_id, key, data) -> bytes     HMAC, 32, 48 or 64 bytes; the key may be empty or longer than a block
    cipher(encr_id, key, integ_id, integ_key) -> Cipher
        AEAD: the key is followed by its 4-byte salt, integ_id is 0 and integ_key empty
        AES-CBC 128/256 + HMAC, AES-GCM-16 128/256, ChaCha20-Poly1305; ValueError for anything else
    key_exchange(group, random) -> KeyExchange
        random(n) -> n bytes is the only source of the private value
    verify(algorithm, public_key, message, signature) -> bool
        False for a signature or key that is wrong or malformed, and an algorithm that we do not take: never raises
    sign(algorithm, private_key, message, random) -> bytes
        ValueError for an algorithm that is not the key's, a key that is no such key, and a result that does not verify
    public_key(private_key, random) -> public key; ValueError for a key that is none
    release()                           forget transient code (key exchange, signatures, SHA-1); it is loaded again
    engines                             the accelerators in use, a tuple; the self-test asks each for

    Engine
        name                            "MPI"
        check() -> bool                 a known answer through the engine alone, in milliseconds; False or an exception
                                        for a broken one
        retire()                        from now on to the next power-on its provider does without it

    Cipher (one direction of one SA; the same for IKE and ESP)
        iv_size, icv_size               bytes; the block_size is 16 for CBC and 1 for the others
        seal(buf, aad, end)             buf is [AAD | IV | plaintext | room for the ICV], offsets from 0:
                                        AAD is [0:aad], the IV (the caller's) [aad:aad+iv_size], plaintext up to `end`;
                                        encrypts in place, writes the ICV to [end:end+icv_size]
        open(buf, aad, end) -> bool     checks the ICV first, in constant time, and decrypts in place;
                                        False leaves the buffer untouched: it never raises for what a peer sent
        high                            None, or the 4 bytes of an extended sequence number that are not sent: they are
                                        authenticated too, an AEAD's after AAD[:4] (RFC 4106 section 5), CBC's after
                                        the ciphertext (RFC 4303 section 2.8). Belongs to the caller, who changes it
        wipe()                          overwrite the keys; the object is dead afterwards

    KeyExchange (one use)
        public                          the KE payload's data: X25519 32 bytes, P-256 x|y 64 bytes, MODP-2048 256 bytes
        shared(peer_public) -> bytes    32, 32 (x only, RFC 5903 section 9) or 256 bytes;
                                        ValueError for every malformed or degenerate value (RFC 6989, RFC 8031)
                                        The private value is the first draw: X25519 32 bytes as they are, P-256 40
                                        bytes (mod n - 1) + 1, MODP 32 bytes with the top bit set; others are blinding
        wipe()                          forget the private value

    Signature algorithm: a scheme and a hash, `iana.ECDSA + iana.SHA2_256` (RFC 8017, FIPS 186-5, RFC 8032; RFC 7427)
        RSASSA_PKCS1, RSASSA_PSS    with SHA2_256, SHA2_384, SHA2_512; the salt of PSS has the size of the hash, which
                                    MGF1 uses too; as many bytes as the modulus
        ECDSA                       with the same hashes on P-256, P-384 or P-521: r|s, each of the size of the order;
                                    the nonce is that of RFC 6979
        EDDSA + HASH_IDENTITY       Ed25519: 64 bytes

    Keys are tuples whose first item is their kind, the others are buffers (numbers: big-endian, no leading zeros)
        KEY_RSA                     n, e; private: n, e, p, q, d mod (p - 1), d mod (q - 1), 1/q mod p
                                    n of 2048, 2056 ... 4096 bits, e odd, of four bytes at most
        KEY_P256 KEY_P384 KEY_P521  04|x|y; private: the scalar, 32 or 48 bytes. P-521 verifies only
        KEY_ED25519                 the 32 bytes of RFC 8032, public or private

Every buffer argument may be bytes, bytearray or memoryview. What is returned belongs to the caller, which wipes it.
`seal` raises ValueError for its caller's mistakes (no room, CBC plaintext not padded to 16 bytes).
No secret appears in an exception, a trace or a `repr`.
"""


class Failure(BaseException):
    """Crypto or entropy that must not be used: (number of the reason, detail of bytes). Ends the appliance.

    No Exception: no handler of the engine's is to take it for the fault of a message.
    """


def authenticated(aad, high):
    """What an AEAD authenticates beside the packet: its AAD, with the unsent half of the sequence number."""
    return bytes(aad[:4]) + high + aad[4:] if high else aad


def equal(a, b):
    """Compare two buffers in time that depends only on their lengths; lengths are public."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0


def wipe(buf):
    """Overwrite a bytearray, array or writable memoryview with zeros."""
    for i in range(len(buf)):
        buf[i] = 0
