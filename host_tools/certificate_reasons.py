"""Why a certificate, key or revocation list is refused, in words: the rows of `reasons` for `uike/pki`.

DETAILS tells how the data of such a refusal reads, where it is not text.
"""

from host_tools import distinguished_name, names
from uike import reason

TEXTS = {
    reason.BAD_DER: (
        "a certificate, key or revocation list that is not DER",
        "export it again, as DER: nothing must precede or follow it",
    ),
    reason.BAD_CERTIFICATE: (
        "a certificate of an impossible form: not X.509 version 3, or an extension twice",
        "issue it anew, with software that keeps to RFC 5280",
    ),
    reason.MISSING_ISSUER: (
        "the issuer of a certificate is neither a trust anchor nor among those that the peer sent",
        "add the issuer to the trust anchors, or let the peer send the intermediate certificate",
    ),
    reason.UNTRUSTED_ROOT: (
        "the chain ends in a root that is not one of our trust anchors",
        "add that root to the trust anchors, if it is to be trusted",
    ),
    reason.CERTIFICATE_EXPIRED: ("a certificate has expired", "renew it; if it has not, set the board's clock"),
    reason.CERTIFICATE_NOT_YET_VALID: (
        "a certificate is not valid yet",
        "set the board's clock (NTP), or the clock of the machine that issued it",
    ),
    reason.NOT_A_CA: (
        "a certificate was issued by one that is no certificate authority's",
        "issue the CA's certificate with basicConstraints CA:TRUE",
    ),
    reason.PATH_LENGTH: (
        "more certificate authorities below one than its path length allows",
        "issue that CA's certificate with a greater pathlen, or shorten the chain",
    ),
    reason.KEY_USAGE: (
        "the key usage of a certificate does not allow what the key was used for",
        "issue it with keyUsage digitalSignature (a CA: keyCertSign; for revocation lists cRLSign)",
    ),
    reason.EXTENDED_KEY_USAGE: (
        "the extended key usage of a certificate names other purposes than IKE",
        "issue it with serverAuth, clientAuth, ipsecIKE, or without extended key usage",
    ),
    reason.UNKNOWN_CRITICAL_EXTENSION: (
        "a certificate has a critical extension that we do not know",
        "issue it without that extension, or with one that is not critical",
    ),
    reason.NAME_CONSTRAINTS: (
        "a certificate authority with name constraints, which we do not check",
        "issue the CA's certificate without name constraints, or trust the one below it",
    ),
    reason.BAD_CERTIFICATE_SIGNATURE: (
        "the signature of a certificate or revocation list is wrong",
        "compare the issuer's key: probably there are two CAs of the same name",
    ),
    reason.SIGNATURE_ALGORITHM_REFUSED: (
        "a certificate is signed with an algorithm that we do not take, such as SHA-1",
        "sign it with SHA-256 or better: RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, Ed25519",
    ),
    reason.CERTIFICATE_REVOKED: ("a certificate was revoked by its issuer", "issue a new one"),
    reason.CHAIN_TOO_LONG: (
        "a chain of more certificates than we follow, or too many ways to build one",
        "shorten the chain, or trust an intermediate CA",
    ),
    reason.BAD_CRL: (
        "a certificate revocation list that we do not understand",
        "issue a full list in version 2, without delta lists or issuing distribution points",
    ),
    reason.REVOCATION_UNKNOWN: (
        "there is no revocation list that says whether a certificate is still good",
        "fetch the issuer's list, or do not ask for one (revocation is strict)",
    ),
    reason.CRL_STALE: ("a certificate revocation list is out of date", "fetch the issuer's current one"),
    reason.CERTIFICATE_IDENTITY: (
        "the peer's certificate does not bear the identity that it claims",
        "set the peer's id to one that is in its certificate: the subject, or a subjectAltName",
    ),
    reason.CERTIFICATE_MISSING: (
        "the peer sent no certificate",
        "let the peer send one always (strongSwan: send_cert = always)",
    ),
    reason.CLOCK_NOT_SET: (
        "the board does not know what time it is, so no certificate can be judged",
        "let it reach a time server, or set require_time = false to take certificates without asking for the date",
    ),
    reason.SIGNATURE_DIFFERS: (
        "the peer's signature was not made with the key of its certificate",
        "compare the private key and the certificate at the peer",
    ),
    reason.NO_COMMON_SIGNATURE: (
        "the peer takes no signature that our key can make",
        "use a key of another kind (RSA or ECDSA P-256), or a peer that speaks RFC 7427",
    ),
    reason.KEY_REFUSED: (
        "a certificate with a key of a kind that we do not take",
        "use RSA of 2048 to 4096 bits, ECDSA on P-256, P-384 or P-521, or Ed25519",
    ),
}


def _late(data: bytes) -> str:
    """How long ago, or how long from now, and whose certificate."""
    seconds = int.from_bytes(data[:4], "big")
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"by {seconds // size} {unit}: {distinguished_name.text(data[4:])}"
    return f"by {seconds} seconds: {distinguished_name.text(data[4:])}"


def _identities(data: bytes) -> str:
    """What was wanted, and what the certificate has; the last may be cut off."""
    shown = []
    while len(data) >= 3:
        size = int.from_bytes(data[1:3], "big")
        shown.append(names.id_text(data[0], data[3 : 3 + size]) + ("" if len(data) >= 3 + size else "..."))
        data = data[3 + size :]
    return f"{shown[0]} is not among {'; '.join(shown[1:]) or 'none'}" if shown else "-"


_SUBJECTS = (
    "MISSING_ISSUER UNTRUSTED_ROOT NOT_A_CA PATH_LENGTH KEY_USAGE EXTENDED_KEY_USAGE NAME_CONSTRAINTS KEY_REFUSED"
    " CRL_STALE REVOCATION_UNKNOWN BAD_CERTIFICATE_SIGNATURE SIGNATURE_ALGORITHM_REFUSED CERTIFICATE_REVOKED"
    " CHAIN_TOO_LONG"
)
DETAILS = {
    **{getattr(reason, name): distinguished_name.text for name in _SUBJECTS.split()},
    reason.BAD_DER: lambda data: f"at byte {int.from_bytes(data, 'big')}",
    reason.BAD_CERTIFICATE: distinguished_name.oid_text,
    reason.BAD_CRL: distinguished_name.oid_text,
    reason.UNKNOWN_CRITICAL_EXTENSION: distinguished_name.oid_text,
    reason.CERTIFICATE_EXPIRED: _late,
    reason.CERTIFICATE_NOT_YET_VALID: _late,
    reason.CERTIFICATE_IDENTITY: _identities,
}
