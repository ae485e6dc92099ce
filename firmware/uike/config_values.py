"""Readers of plain values: a value of the file in, the attribute of a connection out. For the table of `uike.config`.

What a reader refuses is a Problem(what is wrong, what is allowed).
"""

from uike import identity as identities
from uike import keywords

PROPOSALS_MAX = 8
NAME_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
ID_ALLOWED = "gw.example, user@example, 192.0.2.1, @#c0ffee (key id)"


class Problem(Exception):
    pass


def text(value, allowed):
    if type(value) is not str or not value:
        raise Problem("bad value", "text: " + allowed)
    return value


def listed(value, size_max, allowed):
    if type(value) not in (list, tuple) or [item for item in value if type(item) is not str]:
        raise Problem("bad value", allowed)
    if len(value) > size_max:
        raise Problem("%d entries" % len(value), "at most %d" % size_max)
    return value


def flag(value):
    if type(value) is not bool:
        raise Problem("bad value", "true or false")
    return value


def mode(value):
    if value not in ("tunnel", "transport"):
        raise Problem("bad value", '"tunnel" or "transport"')
    return value == "transport"


def count(value, low, high, unit, factor):
    if type(value) is not int or not low <= value <= high:
        raise Problem("bad value", "%d to %d %s" % (low, high, unit))
    return value * factor


def lifetime(value, low, high):
    return 0 if value == 0 and type(value) is int else count(value, low, high, "seconds, or 0 for ever", 1_000)


def identity(value):
    try:
        return identities.parse(text(value, ID_ALLOWED))
    except ValueError as error:
        raise Problem(str(error), ID_ALLOWED)


def proposals(value, ike):
    allowed = keywords.IKE_ALLOWED if ike else keywords.ESP_ALLOWED
    found = []
    for text in listed(value, PROPOSALS_MAX, allowed):
        try:
            found.append(keywords.parse(text, ike))
        except ValueError as error:
            raise Problem('"%s": %s' % (text, error), allowed)
    if not found:
        raise Problem("an empty list", allowed)
    return tuple(found)
