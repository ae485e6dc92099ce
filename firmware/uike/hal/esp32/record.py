"""How the last run ended, in RTC memory, which outlives every reset but not the loss of power.

    mark(3) boots since the last good one, this one included(1) reason(1) detail(0..64)

The launcher (firmware/boot.py) counts the boots and writes the reason of a run that fell over; the application writes
why it restarts, and sets the count back once a boot has proved itself.
"""

import machine

_MARK = b"uk1"
_DETAIL_MAX = 64


def read():
    """(boots, reason, detail)."""
    data = machine.RTC().memory()
    if data[:3] != _MARK or len(data) < 5:
        return 0, 0, b""
    return data[3], data[4], data[5:]


def write(boots, why=0, detail=b""):
    machine.RTC().memory(_MARK + bytes((boots, why)) + detail[:_DETAIL_MAX])
