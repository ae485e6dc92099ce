"""Paths to a trust anchor: each way to find one, and each reason to find none."""

import functools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.pki.authority import DAY, T0, Authority, key, usage
from uike import iana, reason
from uike.crypto.soft import Provider as Soft
from uike.hal.cpython.crypto import Provider as Host
from uike.pki import path
from uike.pki.certificate import Certificate
from uike.pki.crl import Crl
from uike.wire.refusal import Refusal

NOW = T0 + 10 * DAY
CA = [x509.BasicConstraints(True, None), usage("key_cert_sign")]


@functools.cache
def root():
    return Authority(number=1)


@functools.cache
def middle():
    return Authority("C=DE, O=Example, CN=Middle", root(), number=2)


class Counting(Host):
    """Counts what it verifies."""

    verified = 0

    def verify(self, *arguments):
        self.verified += 1
        return super().verify(*arguments)


def valid(certificate, others=(), anchors=None, now=NOW, **options):
    anchors = [root().certificate] if anchors is None else anchors
    provider = options.pop("provider", None) or Host()
    return path.validate(provider, certificate, list(others), anchors, now, **options)


def why(*arguments, **options):
    """(reason, data) of the refusal."""
    with pytest.raises(Refusal) as caught:
        valid(*arguments, **options)
    assert caught.value.notify == iana.AUTHENTICATION_FAILED
    return caught.value.reason, caught.value.data


@pytest.mark.parametrize("provider", [Host, Soft])
@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "ed25519"])
def test_a_chain_of_two_and_of_three(provider, kind):
    top = Authority(kind=kind, number=3)
    below = Authority("CN=Middle", top, kind=kind, number=4)
    direct, leaf = top.certify(kind=kind), below.certify(kind=kind)
    assert valid(direct, anchors=[top.certificate], provider=provider()) == [direct, top.certificate]
    found = valid(leaf, [below.certificate], [top.certificate], provider=provider())
    assert found == [leaf, below.certificate, top.certificate]


def chain(length):
    """(leaf, others, anchor) of as many certificates, the anchor's included."""
    issuer = root()
    others = []
    for i in range(length - 2):
        issuer = Authority(f"CN=Middle {i}", issuer, number=20 + i)
        others.append(issuer.certificate)
    return issuer.certify(), others, root().certificate


def test_intermediates_in_any_order_with_strangers_among_them():
    leaf, others, anchor = chain(5)
    strangers = [Authority("CN=Stranger", number=7).certificate, leaf]
    for some in (others, others[::-1], others[::-1] + strangers, strangers + others + others):
        provider = Counting()
        found = valid(leaf, some, [anchor], provider=provider)
        assert found == [leaf, *others[::-1], anchor]
        assert provider.verified == 4


def test_the_longest_path_and_one_more():
    leaf, others, anchor = chain(6)
    assert len(valid(leaf, others, [anchor])) == 6
    leaf, others, anchor = chain(7)
    assert why(leaf, others, [anchor])[0] == reason.CHAIN_TOO_LONG


def test_a_peer_whose_certificate_is_an_anchor():
    leaf = middle().certify()
    assert valid(leaf, anchors=[leaf]) == [leaf]


def test_an_intermediate_may_be_the_anchor():
    leaf = middle().certify()
    assert valid(leaf, anchors=[middle().certificate]) == [leaf, middle().certificate]


def test_a_missing_issuer_is_named():
    assert why(middle().certify()) == (reason.MISSING_ISSUER, bytes(middle().certificate.subject))
    assert why(root().certify(), anchors=[]) == (reason.MISSING_ISSUER, bytes(root().certificate.subject))


def test_an_untrusted_root():
    other = Authority("CN=Other", number=9)
    data = bytes(other.certificate.subject)
    assert why(other.certify(), [other.certificate]) == (reason.UNTRUSTED_ROOT, data)
    own = Certificate(other.issue("CN=Other", number=9))
    assert why(own) == (reason.UNTRUSTED_ROOT, data)


def test_two_authorities_of_one_name():
    """The second has the key; the first alone is a wrong signature."""
    wrong = Authority(number=10).certificate
    leaf = root().certify()
    assert valid(leaf, anchors=[wrong, root().certificate])[1] is root().certificate
    assert valid(leaf, [wrong])[1] is root().certificate
    assert why(leaf, anchors=[wrong]) == (reason.BAD_CERTIFICATE_SIGNATURE, bytes(leaf.subject))


def test_a_cross_signed_authority_leads_to_either_root():
    other = Authority("CN=Other", number=9)
    cross = Certificate(other.issue("C=DE, O=Example, CN=Middle", number=2, critical=CA))
    leaf = middle().certify()
    both = [middle().certificate, cross]
    assert valid(leaf, both)[1] is middle().certificate
    assert valid(leaf, both, [other.certificate])[1] is cross


def test_authorities_that_certify_each_other_end():
    one, two = Authority("CN=One", number=11), Authority("CN=Two", number=12)
    ring = [
        Certificate(one.issue("CN=Two", number=12, critical=CA)),
        Certificate(two.issue("CN=One", number=11, critical=CA)),
    ]
    assert why(one.certify(), ring)[0] == reason.MISSING_ISSUER


def test_many_ways_cost_no_more_than_a_few_signatures():
    """A crowd of issuers of one name, none of which has signed: an attack on our time."""
    crowd = [Authority("CN=Crowd", number=200 + i).certificate for i in range(20)]
    leaf = Authority("CN=Crowd", number=199).certify()
    provider = Counting()
    assert why(leaf, crowd, provider=provider)[0] == reason.CHAIN_TOO_LONG
    assert provider.verified == path._SIGNATURES_MAX


def seconds(late):
    return late.to_bytes(4, "big")


@pytest.mark.parametrize("late", [1, 86_400, 40_000_000])
def test_expired_and_by_how_much(late):
    leaf = root().certify(days=20)
    assert valid(leaf, now=leaf.not_after) and valid(leaf, now=leaf.not_before)
    wanted = reason.CERTIFICATE_EXPIRED, seconds(late) + bytes(leaf.subject)
    assert why(leaf, now=leaf.not_after + late) == wanted
    assert why(leaf, now=None, known=leaf.not_after + late) == (reason.EXPIRED_AT_KNOWN_TIME, *wanted[1:])


def test_not_yet_valid_and_for_how_long():
    leaf = root().certify(start=NOW + 90)
    assert why(leaf) == (reason.CERTIFICATE_NOT_YET_VALID, seconds(90) + bytes(leaf.subject))


def test_without_a_clock_only_the_past_is_certain():
    leaf = root().certify(start=NOW + 90)
    assert valid(leaf, now=None) and valid(leaf, now=None, known=T0)


def test_an_issuer_may_have_expired_too():
    old = Authority("CN=Old", root(), number=13, days=5)
    subject = bytes(old.certificate.subject)
    assert why(old.certify(), [old.certificate]) == (reason.CERTIFICATE_EXPIRED, seconds(5 * DAY) + subject)
    old = Authority("CN=Old", number=13, days=5)
    assert why(old.certify(), anchors=[old.certificate])[0] == reason.CERTIFICATE_EXPIRED


@pytest.mark.parametrize(
    "critical", [[usage("key_cert_sign")], [x509.BasicConstraints(False, None), usage("key_cert_sign")]]
)
def test_not_a_ca(critical):
    peer = Authority("CN=Peer", root(), number=14, critical=critical)
    assert why(peer.certify(), [peer.certificate]) == (reason.NOT_A_CA, bytes(peer.certificate.subject))
    assert why(peer.certify(), anchors=[peer.certificate])[0] == reason.NOT_A_CA


def test_path_length():
    """Of the authorities below; those that certify themselves do not count (RFC 5280 section 4.2.1.9)."""
    top = Authority("CN=Top", number=15, path_len=0)
    assert valid(top.certify(), anchors=[top.certificate])
    below = Authority("CN=Below", top, number=16)
    wanted = reason.PATH_LENGTH, bytes(top.certificate.subject)
    assert why(below.certify(), [below.certificate], [top.certificate]) == wanted
    renewed = Authority("CN=Top", top, number=17)
    assert valid(renewed.certify(), [renewed.certificate], [top.certificate])


def test_key_usage():
    peer = Authority("CN=Peer", root(), number=14, critical=[x509.BasicConstraints(True, None), usage("crl_sign")])
    assert why(peer.certify(), [peer.certificate]) == (reason.KEY_USAGE, bytes(peer.certificate.subject))
    leaf = root().certify(critical=[usage("key_agreement")])
    assert why(leaf) == (reason.KEY_USAGE, bytes(leaf.subject))
    for good in ([], [usage("digital_signature", "key_agreement")], [usage("content_commitment")]):
        assert valid(root().certify(critical=good))


@pytest.mark.parametrize(
    ("purposes", "good"),
    [
        (["1.3.6.1.5.5.7.3.1"], True),
        (["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.2"], True),
        (["1.3.6.1.5.5.7.3.17"], True),
        (["1.3.6.1.5.5.8.2.2"], True),
        (["2.5.29.37.0"], True),
        (["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.9"], False),
    ],
)
def test_extended_key_usage(purposes, good):
    leaf = root().certify(extensions=[x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in purposes])])
    if good:
        assert valid(leaf)
    else:
        assert why(leaf) == (reason.EXTENDED_KEY_USAGE, bytes(leaf.subject))


def test_the_purposes_are_those_that_the_registry_names():
    names = [
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    ]
    for each in [*names, ExtendedKeyUsageOID.IPSEC_IKE]:
        assert valid(root().certify(extensions=[x509.ExtendedKeyUsage([each])]))


def test_unknown_critical_extensions_anywhere():
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
    wanted = reason.UNKNOWN_CRITICAL_EXTENSION, bytes.fromhex("2b06010401868d1f01")
    assert why(root().certify(critical=[unknown])) == wanted
    below = Authority("CN=Below", root(), number=16, critical=[*CA, unknown])
    assert why(below.certify(), [below.certificate]) == wanted
    assert valid(root().certify(extensions=[unknown]))


def test_name_constraints():
    limits = x509.NameConstraints([x509.DNSName("example.org")], None)
    below = Authority("CN=Below", root(), number=16, critical=[*CA, limits])
    assert why(below.certify(), [below.certificate]) == (reason.NAME_CONSTRAINTS, bytes(below.certificate.subject))


def test_a_wrong_signature():
    der = bytearray(root().issue())
    der[-1] ^= 1
    leaf = Certificate(der)
    assert why(leaf) == (reason.BAD_CERTIFICATE_SIGNATURE, bytes(leaf.subject))
    changed = root().issue().replace(b"gw.example.org", b"gw.example.com")
    assert why(Certificate(changed))[0] == reason.BAD_CERTIFICATE_SIGNATURE


def test_algorithms_that_we_refuse():
    top = Authority(kind="rsa2048")
    sha1 = top.issue().replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))
    leaf = Certificate(sha1)
    assert why(leaf, anchors=[top.certificate]) == (reason.SIGNATURE_ALGORITHM_REFUSED, bytes(leaf.subject))


@pytest.mark.parametrize("kind", ["p224", "rsa1024"])
def test_keys_that_we_refuse(kind):
    weak = Authority("CN=Weak", root(), kind=kind)
    assert why(weak.certify(), [weak.certificate]) == (reason.KEY_REFUSED, bytes(weak.certificate.subject))


def test_the_kind_of_the_key_is_that_of_the_algorithm():
    """A signature of ECDSA under the name of RSA's key, or the other way round, is no signature."""
    top = Authority(kind="rsa2048")
    leaf = root().certify()
    assert why(leaf, anchors=[top.certificate])[0] == reason.BAD_CERTIFICATE_SIGNATURE


def test_revoked():
    leaf, other = root().certify(serial=77), root().certify(serial=78)
    crls = [Crl(middle().revoke(78)), Crl(root().revoke(5, 77, 9))]
    assert why(leaf, crls=crls) == (reason.CERTIFICATE_REVOKED, bytes(leaf.subject))
    assert valid(other, crls=crls)


def test_a_revoked_authority():
    leaf = middle().certify(serial=5)
    assert why(leaf, [middle().certificate], crls=[Crl(root().revoke(1))]) == (
        reason.CERTIFICATE_REVOKED,
        bytes(middle().certificate.subject),
    )
    assert valid(leaf, [middle().certificate], crls=[Crl(root().revoke(2))])


def test_a_revocation_list_must_be_sound():
    leaf, name = root().certify(serial=3), bytes(root().certificate.subject)
    forged = Crl(root().revoke(private=key("p256", 9)))
    assert why(leaf, crls=[forged]) == (reason.BAD_CERTIFICATE_SIGNATURE, name)
    old = Crl(root().revoke(days=5))
    assert why(leaf, crls=[old]) == (reason.CRL_STALE, name)
    assert why(leaf, now=None, known=NOW, crls=[old]) == (reason.CRL_STALE, name)
    assert valid(leaf, now=None, crls=[old])
    assert valid(leaf, crls=[old], revocation=path.RELAXED) and valid(leaf, crls=[forged], revocation=path.RELAXED)
    known_all_the_same = Crl(root().revoke(3, days=5))
    wanted = reason.CERTIFICATE_REVOKED, bytes(leaf.subject)
    assert why(leaf, crls=[known_all_the_same], revocation=path.RELAXED) == wanted
    silent = Authority("CN=Silent", root(), number=18, critical=CA)
    wanted = reason.KEY_USAGE, bytes(silent.certificate.subject)
    assert why(silent.certify(), [silent.certificate], crls=[Crl(silent.revoke())]) == wanted


def test_strict_wants_a_list_for_each_but_the_anchor():
    leaf, others = middle().certify(serial=3), [middle().certificate]
    lists = [Crl(middle().revoke(4)), Crl(root().revoke(4))]
    assert valid(leaf, others, crls=lists, revocation=path.STRICT)
    wanted = [bytes(each.subject) for each in (middle().certificate, leaf)]
    for crl, subject in zip(lists, wanted, strict=True):
        assert why(leaf, others, crls=[crl], revocation=path.STRICT) == (reason.REVOCATION_UNKNOWN, subject)
        assert valid(leaf, others, crls=[crl])
    pinned = root().certify()
    assert valid(pinned, anchors=[pinned], revocation=path.STRICT) == [pinned]


def test_a_list_signed_with_the_older_key_of_the_same_name():
    """The authority has certified its own new key; its lists are still signed with the old one."""
    renewed = Authority("CN=Top", Authority("CN=Top", number=15), number=17)
    old = Authority("CN=Top", number=15)
    leaf, other = renewed.certify(serial=3), renewed.certify(serial=4)
    anchors, lists = [old.certificate], [Crl(old.revoke(4))]
    assert valid(leaf, [renewed.certificate], anchors, crls=lists, revocation=path.STRICT)
    assert why(other, [renewed.certificate], anchors, crls=lists)[0] == reason.CERTIFICATE_REVOKED


def test_digests_of_each_length():
    for sha in (hashes.SHA384(), hashes.SHA512()):
        assert valid(root().certify(sha=sha))
    top = Authority(kind="rsa2048")
    assert valid(top.certify(sha=hashes.SHA384(), pss=True), anchors=[top.certificate])
