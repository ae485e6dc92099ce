"""What strongSwan's log says of a refusal that the wire does not explain: a row for each of its sentences.

AUTHENTICATION_FAILED is one notify for many causes, and NO_PROPOSAL_CHOSEN names nothing. The gateway knows better; its
log (default level 1, cfg 2 for the proposals) is what `--log` reads.
"""

import re
from dataclasses import dataclass

from host_tools import algorithms, names
from host_tools.explain import compare
from host_tools.explain.cases import proposals
from host_tools.explain.verdict import Verdict
from uike import iana


@dataclass(frozen=True)
class _Row:
    pattern: str
    case: str
    text: str
    remedy: str
    payload: str = ""
    here: tuple = ()
    there: tuple = ()


_ROWS = (  # the first that matches; {0}, {1} are what the pattern caught
    _Row(
        r"tried \d+ shared keys? for '(.*?)' - '(.*?)', but MAC mismatched",
        "PSK_DIFFERS",
        "the gateway has a pre-shared key for {0} and {1}, and ours is another",
        "set the same key on both sides; strongSwan takes it from the secret whose id is {1}",
        "AUTH",
        ('psk = "..."',),
        ("secrets {{ ike-1 {{ id = {1}; secret = ... }} }}",),
    ),
    _Row(
        r"no shared key found for '(.*?)' - '(.*?)'",
        "PSK_MISSING",
        "the gateway has no pre-shared key for {0} and {1}",
        "give it one: a secret of its own for {1}, or one without an id, for all",
        "AUTH",
        (),
        ("secrets {{ ike-1 {{ id = {1}; secret = ... }} }}",),
    ),
    _Row(
        r"looking for peer configs matching .*?\[(.*?)\]\.\.\..*?\[(.*?)\][\s\S]*?no matching peer config found",
        "UNKNOWN_IDENTITY",
        "the gateway has no connection with itself as {0} and its peer as {1}",
        "make the two identities the same on both sides, letter by letter",
        "IDi, IDr",
        ('local_id = "{1}"', 'remote_id = "{0}"'),
        ("local {{ id = {0} }}", "remote {{ id = {1} }}"),
    ),
    _Row(
        r"no trusted (\w+) public key found for '(.*?)'",
        "CERTIFICATE_NOT_TRUSTED",
        "the gateway does not trust our certificate: {1} ({0})",
        "put the CA that issued it into the gateway's x509ca/, or renew it; see its log above that line",
        "CERT",
        (),
        ("remote {{ cacerts = ca.pem }}",),
    ),
    _Row(
        r"constraint check failed: (.*)",
        "CONSTRAINT",
        "the gateway knows us, and wants something else of us: {0}",
        "make the gateway's remote section say what we do, or the other way round",
        "AUTH",
    ),
    _Row(
        r"no IKE config found for (\S+?)\.\.\.(\S+?), sending NO_PROPOSAL_CHOSEN",
        "NO_CONNECTION_AT_PEER",
        "the gateway has no IKEv2 connection between its {0} and our {1}: that is what its NO_PROPOSAL_CHOSEN means",
        "add one, or correct its local_addrs, remote_addrs and version",
        "",
        (),
        ("local_addrs = {0}", "remote_addrs = {1}", "version = 2"),
    ),
    _Row(
        r"no virtual IP found for \S+ requested by '(.*?)'",
        "NO_ADDRESS_ASSIGNED",
        "the gateway has no address for {0}",
        "give its connection a pool, or a larger one; or do without (virtual_ip = false)",
        "CP",
        ("virtual_ip = false",),
        ("pools = addresses",),
    ),
)
_SPELLINGS = {
    "CURVE_25519": "CURVE25519",
    "CHACHA20_POLY1305_256": "CHACHA20_POLY1305",
    "3DES_CBC": "3DES",
    "NO_EXT_SEQ": "NO_ESN",
    "EXT_SEQ": "ESN_YES",
}
_NUMBERS = {  # our text of a transform, which is strongSwan's but for those above: the transform
    names.transform_text((kind, number, bits)): (kind, number, bits)
    for kind, number in [
        *algorithms.NAMES,
        *((kind, each) for kind in names.TRANSFORMS for each in names.TRANSFORMS[kind]),
    ]
    for bits in ((0, 128, 192, 256) if kind == iana.ENCR else (0,))
}
_PROPOSALS = re.compile(r"received proposals: (.*)[\s\S]*?configured proposals: (.*)")


def enrich(verdict: Verdict, log: str) -> None:
    """Add to a verdict what the other side's log knows; its last word counts."""
    if verdict.up:
        return
    for row in _ROWS:
        found = list(re.finditer(row.pattern, log))
        if found:
            _apply(verdict, row, found[-1].groups())
            break
    compared = list(_PROPOSALS.finditer(log))
    if compared and verdict.notify == "NO_PROPOSAL_CHOSEN":
        ours, theirs = ([_transforms(each) for each in side.strip().split(", ")] for side in compared[-1].groups())
        key = "proposals" if verdict.exchange == "IKE_SA_INIT" else "esp_proposals"
        verdict.ours, verdict.theirs = compare.words(ours), compare.words(theirs)
        proposals.compared(verdict, key, ours, theirs)


def _transforms(text: str) -> list[tuple[int, int, int]]:
    """A proposal as the log has it, "IKE:AES_CBC_128/HMAC_SHA2_256_128/..."; what has no number here is left out."""
    words = text.partition(":")[2].split("/")
    return [_NUMBERS[each] for word in words if (each := _SPELLINGS.get(word, word)) in _NUMBERS]


def _apply(verdict: Verdict, row: _Row, groups) -> None:
    verdict.case, verdict.payload = row.case, row.payload or verdict.payload
    verdict.text, verdict.remedy = row.text.format(*groups), row.remedy.format(*groups)
    verdict.here = [line.format(*groups) for line in row.here]
    verdict.there = [line.format(*groups) for line in row.there]
    verdict.theirs = ["as its log says"]
    verdict.difference = ""
