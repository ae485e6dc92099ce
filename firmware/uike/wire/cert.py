"""What the CERT and CERTREQ payloads call the DER that they carry (RFC 7296 section 3.6, RFC 7670 section 3)."""

from uike import iana


def encoding(data):
    """Of a SubjectPublicKeyInfo if a short AlgorithmIdentifier comes first in it; all else is taken for a certificate,
    where a TBSCertificate does, which is never short. `data` has two bytes or more."""
    at = 2 + (data[1] & 127 if data[1] > 127 else 0)
    size, tag = data[at + 1 : at + 2], data[at + 2 : at + 3]
    return iana.CERT_RAW_PUBLIC_KEY if size < b"\x80" and tag == b"\x06" else iana.CERT_X509_SIGNATURE
