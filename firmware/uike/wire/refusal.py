"""A peer's mistake, on its way from the parser that found it to the one place that answers it.

Raised by every parser and every exchange, caught only in `endpoint` and `ike/exchange`. Our own mistakes are
ordinary exceptions instead.
"""


class Refusal(Exception):
    """`reason` is a number of `uike.reason`; `notify` the error to answer with, 0 for silence; `data` its data."""

    def __init__(self, reason, notify=0, data=b""):
        super().__init__(reason)
        self.reason = reason
        self.notify = notify
        self.data = data
