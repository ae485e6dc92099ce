"""How hard a pre-shared key is to guess, estimated as a guesser would go about it; and a warning for what is too easy.

Whoever plays the gateway once can try keys against what a client sent, offline, as fast as his machines can. So a
pre-shared key wants 128 bits (RFC 7296 section 5), a postquantum one 256 (RFC 8784 section 6). An estimate errs to
either side; it is never shown together with the secret.
"""

import math
import re

from uike import readers

PSK_BITS = 128
PPK_BITS = 256
_REMEDY = {"psk": "openssl rand -base64 24", "ppk": "openssl rand -base64 33"}

_WORD_BITS = 13  # one of some thousand
_KNOWN = 4  # one of those that are tried first
_REPEATED = 2
_STEP = 1  # the same character again, or the next one of an alphabet
_FIRST_TRIED = re.compile(
    "pass(word|phrase)?|secret|shared|psk|key|vpn|ike|ipsec|admin|root|user|test|example|default|change|welcome|letmein"
    "|guest|cisco|strongswan|qwert[yz]?|asdf|zxcv|summer|winter|spring|autumn|(19|20)[0-9]{2}"
)
_WORDS = re.compile("([A-Z]?[a-z]{3,})+|[A-Z]{4,}")
_WORD = re.compile("[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_WORDLIKE = re.compile("(?=.*[aeiouy])(?!.*[bcdfghjklmnpqrstvwxz]{5})(?!.*[aeiouy]{4})", re.IGNORECASE)
_DISGUISES = str.maketrans("0134578@$!", "oieastbasi")
_CLASSES = (("0123456789", 10), ("abcdefghijklmnopqrstuvwxyz", 26), ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26))
_HEX = set("0123456789abcdef"), set("0123456789ABCDEF")
_OTHER = 33  # printable ASCII besides


def bits(secret: bytes) -> int:
    """Likely entropy of a secret, in bits, rounded down; at most eight a byte."""
    unit = _unit(bytes(secret))
    printable = unit.isascii() and unit.decode().isprintable()
    found = _text_bits(unit.decode()) if printable else _bytes_bits(unit)
    return int(min(found + math.log2(len(secret) / len(unit)), 8 * len(secret)) + 1e-6)


def _unit(secret: bytes) -> bytes:
    """The shortest piece that the whole is a repetition of."""
    for size in range(1, len(secret) // 2 + 1):
        if (secret[:size] * (len(secret) // size + 1))[: len(secret)] == secret:
            return secret[:size]
    return secret


def _bytes_bits(data: bytes) -> float:
    return sum(_STEP if _is_step(data, at) else 8 for at in range(len(data)))


def _text_bits(text: str) -> float:
    """Words for what they are worth, the rest by the size of its alphabet."""
    found, seen, rest = 0.0, set(), list(text)
    hexadecimal = set(text) <= _HEX[0] or set(text) <= _HEX[1]
    for plain in (text.lower(),) if hexadecimal else (text.lower(), text.lower().translate(_DISGUISES)):
        for match in _FIRST_TRIED.finditer(plain):
            if None not in rest[match.start() : match.end()]:
                found += _REPEATED if match.group() in seen else _KNOWN
                seen.add(match.group())
                rest[match.start() : match.end()] = [None] * len(match.group())
    for run in re.finditer("[A-Za-z]+", "".join(each or " " for each in rest)):
        if not _WORDS.fullmatch(run.group()):
            continue
        for match in _WORD.finditer(run.group()):
            word = match.group().lower()
            if _WORDLIKE.match(word):
                found += _REPEATED if word in seen else _WORD_BITS * math.ceil(len(word) / 7)
                seen.add(word)
                rest[run.start() + match.start() : run.start() + match.end()] = [None] * len(word)
    each_bits = math.log2(_alphabet({each for each in rest if each}))
    codes = [ord(each) if each else 0 for each in rest]
    return found + sum(_STEP if _is_step(codes, at) else each_bits for at, each in enumerate(rest) if each)


def _is_step(codes, at: int) -> bool:
    """Whether a character only goes on with what the two before it began: aaa, abc, 321."""
    return at > 1 and codes[at - 2] - codes[at - 1] == codes[at - 1] - codes[at] and abs(codes[at - 1] - codes[at]) <= 1


def _alphabet(used: set) -> int:
    if not used:
        return 1
    if len(used) > 10 and (used <= _HEX[0] or used <= _HEX[1]):
        return 16
    size = sum(count for letters, count in _CLASSES if used & set(letters))
    return size + (_OTHER if used - set("".join(letters for letters, _ in _CLASSES)) else 0)


def warnings(tree: dict) -> list[str]:
    """A line for each secret of a configuration that is easier to guess than it should be; without the secret."""
    said = []
    for name, table in sorted(tree.get("connection", {}).items()):
        for where, kind, value in _secrets(table):
            read = readers.psk_hex if where == "psk_hex" else readers.psk
            try:
                found = bits(read(value))
            except readers.Problem:  # whoever loads the file says so
                continue
            wanted = PPK_BITS if kind == "ppk" else PSK_BITS
            if found < wanted:
                said.append(
                    f"[connection.{name}] {where}: about {found} bits, by its look, and {wanted} are wanted: whoever"
                    f" records or answers a connection can try to guess it; a better one: {_REMEDY[kind]}"
                )
    return said


def _secrets(table: dict):
    """(key in the file, kind, value) of each secret."""
    for key, kind in (("psk", "psk"), ("psk_hex", "psk"), ("ppk", "ppk")):
        if key in table:
            yield key, kind, table[key]
    for name, value in sorted(table.get("psks", {}).items()):
        yield f"psks of {name}", "psk", value
