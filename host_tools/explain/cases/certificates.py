"""Certificates: whose it is, and the change at the side that can make it."""

from uike import reason

_HERE = {  # reason: lines of our file
    reason.MISSING_ISSUER: ['cacerts = ["ca.pem"]'],
    reason.UNTRUSTED_ROOT: ['cacerts = ["ca.pem"]'],
    reason.CLOCK_NOT_SET: ["require_time = false"],
    reason.CERTIFICATE_IDENTITY: ['remote_id = "..."'],
}
_THERE = {  # and of the gateway's
    reason.MISSING_ISSUER: ["local { certs = gateway.pem }  # the intermediate one in x509ca/"],
    reason.CERTIFICATE_MISSING: ["send_cert = always"],
    reason.CERTIFICATE_IDENTITY: ["local { id = ... }  # one of its certificate's names"],
    reason.SIGNATURE_DIFFERS: ["local { certs = ... }  # and its own key in private/"],
    reason.NO_COMMON_SIGNATURE: ["signature_authentication = yes  # strongswan.conf, charon"],
}
_NAMES = (
    "BAD_DER BAD_CERTIFICATE MISSING_ISSUER UNTRUSTED_ROOT CERTIFICATE_EXPIRED CERTIFICATE_NOT_YET_VALID NOT_A_CA"
    " PATH_LENGTH KEY_USAGE EXTENDED_KEY_USAGE UNKNOWN_CRITICAL_EXTENSION NAME_CONSTRAINTS BAD_CERTIFICATE_SIGNATURE"
    " SIGNATURE_ALGORITHM_REFUSED CERTIFICATE_REVOKED CHAIN_TOO_LONG BAD_CRL CRL_STALE CERTIFICATE_IDENTITY KEY_REFUSED"
    " REVOCATION_UNKNOWN CERTIFICATE_MISSING CLOCK_NOT_SET SIGNATURE_DIFFERS NO_COMMON_SIGNATURE"
)


def _case(story, verdict):
    number = story.failure.fields["reason"]
    verdict.payload = "AUTH" if number in (reason.SIGNATURE_DIFFERS, reason.NO_COMMON_SIGNATURE) else "CERT"
    verdict.ours = [f"we are {story.who(True)}"] if story.who(True) else []
    verdict.theirs = [f"{story.peer()} is {story.who(False)}"] if story.who(False) else []
    verdict.here = list(_HERE.get(number, []))
    verdict.there = list(_THERE.get(number, ["local { certs = ... }  # the one that is to be issued anew"]))
    if number == reason.CERTIFICATE_IDENTITY:
        claimed, _, there = verdict.text.rpartition(": ")[2].partition(" is not among ")
        first = there.split("; ")[-1]
        verdict.difference = f"identity: it says {claimed}, its certificate {there}"
        verdict.here = [f'remote_id = "{first}"']
        verdict.there = [f"local {{ id = {first} }}"]
    if number == reason.CLOCK_NOT_SET:
        verdict.there = []


CASES = {getattr(reason, name): _case for name in _NAMES.split()}
