"""NIST's Public Key Interoperability Test Suite (2011): what it calls invalid is refused, and why the rest is or is not.

With revocation lists for every certificate, on 2015-01-01. We do less than RFC 5280 can: no name constraints, policies,
delta or partial lists, nor lists of others than the issuer, and names are compared byte by byte. Each of those refuses.
"""

import collections
import functools
from pathlib import Path

import cryptography_vectors

from host_tools.reasons import NAMES
from uike.hal.cpython.crypto import Provider
from uike.pki import path
from uike.pki.certificate import Certificate
from uike.pki.crl import Crl
from uike.wire.refusal import Refusal

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
NOW = 1_420_070_400

INVALID = {
    "BAD_CERTIFICATE_SIGNATURE": 3,
    "BAD_CRL": 1,
    "BAD_DER": 1,
    "CERTIFICATE_EXPIRED": 3,
    "CERTIFICATE_NOT_YET_VALID": 2,
    "CERTIFICATE_REVOKED": 8,
    "CRL_STALE": 3,
    "KEY_USAGE": 6,
    "MISSING_ISSUER": 3,
    "NAME_CONSTRAINTS": 22,
    "NOT_A_CA": 4,
    "PATH_LENGTH": 7,
    "REVOCATION_UNKNOWN": 27,
    "UNKNOWN_CRITICAL_EXTENSION": 24,
    "valid": 1,  # revoked by a delta list alone
}
VALID = {
    "BAD_CERTIFICATE_SIGNATURE": 3,  # lists signed with a newer key than that on the path
    "CERTIFICATE_REVOKED": 1,  # taken off hold by a delta list
    "KEY_USAGE": 1,  # lists signed with a key for that alone
    "MISSING_ISSUER": 5,  # names that differ in case, blanks or type of string
    "NAME_CONSTRAINTS": 16,
    "REVOCATION_UNKNOWN": 14,  # partial and indirect lists
    "SIGNATURE_ALGORITHM_REFUSED": 2,  # DSA
    "UNKNOWN_CRITICAL_EXTENSION": 19,  # policy mappings and constraints
    "valid": 27,
}


def parse(kind, folder, ending):
    """{name: what was parsed, or the name of the reason}"""
    found = {}
    for file in sorted((DATA / folder).glob(f"*.{ending}")):
        try:
            found[file.stem] = kind(file.read_bytes())
        except Refusal as refusal:
            found[file.stem] = NAMES[refusal.reason]
    return found


@functools.cache
def results():
    """{name of a test: "valid", or the name of the reason}"""
    certificates, crls = parse(Certificate, "certs", "crt"), parse(Crl, "crls", "crl")
    anchor = certificates.pop("TrustAnchorRootCertificate")
    sound = {name: each for name, each in certificates.items() if not isinstance(each, str)}
    others = [each for name, each in sound.items() if not name.endswith("EE")]
    lists = [each for each in crls.values() if not isinstance(each, str)]
    found = {name: each for name, each in certificates.items() if isinstance(each, str)}
    for name, each in sound.items():
        try:
            path.validate(Provider(), each, others, [anchor], NOW, crls=lists, revocation=path.STRICT)
            found[name] = "valid"
        except Refusal as refusal:
            found[name] = NAMES[refusal.reason]
    return found


def counted(beginning):
    return dict(collections.Counter(each for name, each in results().items() if name.startswith(beginning)))


def test_what_is_invalid():
    assert counted("Invalid") == INVALID
    assert results()["InvaliddeltaCRLTest4EE"] == "valid"


def test_what_is_valid():
    assert counted("Valid") == VALID


def test_reasons_are_those_of_the_titles():
    found = results()
    for name, why in {
        "InvalidCAnotBeforeDateTest1EE": "CERTIFICATE_NOT_YET_VALID",
        "InvalidEEnotAfterDateTest6EE": "CERTIFICATE_EXPIRED",
        "InvalidEESignatureTest3EE": "BAD_CERTIFICATE_SIGNATURE",
        "InvalidMissingbasicConstraintsTest1EE": "NOT_A_CA",
        "InvalidMissingCRLTest1EE": "REVOCATION_UNKNOWN",
        "InvalidOldCRLnextUpdateTest11EE": "CRL_STALE",
        "InvalidRevokedCATest2EE": "CERTIFICATE_REVOKED",
        "InvalidRevokedEETest3EE": "CERTIFICATE_REVOKED",
        "InvalidSelfIssuedpathLenConstraintTest16EE": "PATH_LENGTH",
        "InvalidUnknownCriticalCertificateExtensionTest2EE": "UNKNOWN_CRITICAL_EXTENSION",
        "InvalidcAFalseTest2EE": "NOT_A_CA",
        "InvalidkeyUsageCriticalkeyCertSignFalseTest1EE": "KEY_USAGE",
        "InvalidpathLenConstraintTest5EE": "PATH_LENGTH",
    }.items():
        assert found[name] == why, name
