"""What time it is, for those who judge certificates: by the board's clock, and by what the store knows for certain.

The last known good time is a lower bound that only grows (RFC 5280 has nothing like it; it is what a board without a
clock can still tell). It comes from the board's clock alone, and only when a peer's whole chain has just been found
valid by that clock: a clock that was led into a far future, where nothing is valid, leaves no mark. The notBefore of a
certificate is no source: a CA may write one that is yet to come. It is written once a day at most, for flash wears.
"""

from uike import reason
from uike.pki.certificate import refuse

_NAME = "known.time"  # in the store: seconds since 1970, four bytes
_STEP_S = 86_400


def read(endpoint, required):
    """(now or None, seconds that have passed for certain), since 1970. `Refusal` that names the clock if it is
    `required` and not there, or runs behind by more than a day."""
    data = endpoint.store.read(_NAME) if endpoint.store else None
    known = int.from_bytes(data, "big") if data and len(data) == 4 else 0
    now = endpoint.clock() if endpoint.clock else None
    behind = now is not None and now + _STEP_S < known
    if required and (now is None or behind):
        refuse(*((reason.CLOCK_BEHIND, (known - now).to_bytes(4, "big")) if behind else (reason.CLOCK_NOT_SET,)))
    return (None if now is None or behind else max(now, known)), known


def learn(store, now, known):
    """A peer's chain was valid at `now`, by the board's clock, or None."""
    if store and now is not None and now >= known + _STEP_S:
        try:
            store.write(_NAME, now.to_bytes(4, "big"))
        except OSError:  # what was known before stays known
            pass
