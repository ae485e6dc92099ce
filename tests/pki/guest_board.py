"""What a board does with its own key and name, and with a revocation list, in the VM: `board` has them."""

from board import CERTIFICATE, CRL, KEY, TEXT

from uike import iana
from uike.crypto.soft import Provider
from uike.pki import csr, identity, key, name
from uike.pki.certificate import Certificate
from uike.pki.crl import Crl
from uike.wire.refusal import Refusal


def random(n):
    return bytes(range(1, n + 1))


subject = name.parse(TEXT)
private = key.parse_private(KEY)
algorithm = iana.ECDSA + iana.SHA2_256
names = ((iana.ID_FQDN, b"gw.example.org"),)
print(csr.build_request(Provider(), algorithm, private, subject, names, random).hex())
crl = Crl(CRL)
print(crl.revoked_at(b"\x4d"))
print(crl.revoked_at(b"\x4e"))
certificate = Certificate(CERTIFICATE)
print(identity.check(certificate, iana.ID_FQDN, b"GW.example.org"))
try:
    identity.check(certificate, iana.ID_FQDN, b"other")
except Refusal as refusal:
    print(refusal.reason)
    print(refusal.data.hex())
dn = iana.ID_DER_ASN1_DN
print(
    name.match(name.parse("CN=Gw"), name.parse("CN=gW")),
    name.match(name.parse("CN=G\u00e4"), name.parse("CN=g\u00e4")),
    identity.match(dn, name.parse("C=DE, CN=*"), dn, name.parse("C=DE, CN=gw")),
    identity.match(iana.ID_FQDN, b"*.example", iana.ID_FQDN, b"example"),
)
