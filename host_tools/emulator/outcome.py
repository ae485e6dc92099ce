"""What came of an emulated board's run: collected from its trace, summed up as one JSON object."""

from host_tools import names, reasons
from uike import reason

REASON_NAMES = {value: name for name, value in vars(reason).items() if name.isupper()}
# A closed SA that is nobody's failure
ENDINGS = (reason.NONE, reason.DELETED_BY_US, reason.REPLACED, reason.REDIRECTED, reason.SENT_AWAY)
GOODBYE = (*ENDINGS, reason.DELETED_BY_PEER)  # the same once its tunnel was up


class Outcome:
    """Feed it each event; read `summary` when the board has ended."""

    def __init__(self):
        self.established = False  # an IKE SA and a Child SA were up
        self.children_up = 0
        self.remote_selectors: list[bytes] = []
        self.virtual_ip = None
        self.netmask = None
        self.pings_asked = 0
        self.rtt_ms: list[int | None] = []  # one entry a ping: None when it was not answered
        self.failure_event = None
        self.lost = False  # a tunnel that was up broke down
        self.closed = None  # name of the reason why the last SA ended
        self._up: set[int] = set()  # SAs that had a tunnel
        self.failure_text: tuple[str, str, str] | None = None  # (reason name, text, remedy) of our own making
        self._not_started = None
        self.messages_in = 0
        self.packets = [0, 0]
        self._ike = self._esp = self._local_ts = self._remote_ts = self._handshake_ms = self._heap_idle = None

    def event(self, event) -> None:
        """Take one decoded event of the board."""
        handler = getattr(self, f"_on_{event.name}", None)
        if handler:
            handler(event, event.fields)

    def _on_message(self, event, fields):
        self.messages_in += not fields["out"]

    def _on_ike_proposal(self, event, fields):
        self._ike = names.proposal_text(fields["transforms"])

    def _on_established(self, event, fields):
        self._handshake_ms = fields["elapsed_ms"]

    def _on_child_up(self, event, fields):
        self.established = True
        self._up.add(event.sa)
        self.lost = False
        self.children_up += 1
        self._esp = names.proposal_text(fields["transforms"])
        self.remote_selectors = list(fields["remote_ts"])
        self._local_ts = [names.selector_text(selector) for selector in fields["local_ts"]]
        self._remote_ts = [names.selector_text(selector) for selector in fields["remote_ts"]]

    def _on_child_down(self, event, fields):
        self.children_up = max(0, self.children_up - 1)
        self.packets[0] += fields["packets_in"]
        self.packets[1] += fields["packets_out"]

    def _on_address(self, event, fields):
        self.virtual_ip, self.netmask = fields["address"] or fields["address6"], fields["netmask"]

    def _on_ping(self, event, fields):
        self.rtt_ms.append(fields["rtt_ms"] if fields["answered"] else None)

    def _on_heap(self, event, fields):
        self._heap_idle = fields["used"]

    def _on_reject(self, event, fields):
        self._failed(event)

    def _on_closed(self, event, fields):
        self.closed = REASON_NAMES.get(fields["reason"], str(fields["reason"]))
        if event.sa not in self._up:
            if fields["reason"] not in ENDINGS:
                self._failed(event)
        elif fields["reason"] not in GOODBYE:
            self.lost = True
            self.failure_event = event

    def _on_config_error(self, event, fields):
        self.failure_text = ("LOCAL_ERROR", fields["text"].replace("\t", ": "), "correct the configuration")

    def _on_command_error(self, event, fields):
        self.failure_text = self.failure_text or ("LOCAL_ERROR", fields["text"], "")

    def _on_stopped(self, event, fields):
        self.failure_text = _reason(event)

    def _on_not_started(self, event, fields):
        self._not_started = event  # there may be another attempt

    def _failed(self, event) -> None:
        """Keep the event that says most: the end of the SA tells the notify and the message, a refusal only why."""
        if self.failure_event is None or event.name == "closed" and self.failure_event.name != "closed":
            self.failure_event = event

    @property
    def failed(self) -> bool:
        """Whether a negotiation or a tunnel came to a bad end so far."""
        return bool(self.failure_event and self.failure_event.name == "closed" or self.failure_text)

    @property
    def answered(self) -> int:
        return sum(rtt is not None for rtt in self.rtt_ms)

    @property
    def pings(self) -> int:
        """Those of the command line, or those typed at the console as well."""
        return max(self.pings_asked, len(self.rtt_ms))

    @property
    def ok(self) -> bool:
        """The tunnel came up and did not break down, and every ping that was asked for came back."""
        return self.established and not self.lost and self.answered == self.pings

    def failure(self) -> dict | None:
        """Who said no, where and why; None when all went well."""
        if self.ok:
            return None
        if self.failure_event is None:
            name, text, remedy = self.failure_text or self._unexplained()
            return _failure(name, text, remedy)
        fields = self.failure_event.fields
        text, remedy = reasons.explain(self.failure_event)
        number = fields.get("notify") or 0
        return _failure(
            REASON_NAMES.get(fields["reason"], str(fields["reason"])),
            text,
            remedy,
            notify=names.notify(number) if number else None,
            exchange=names.exchange(fields["exchange"]) if fields.get("exchange") else None,
            message_id=fields.get("message_id"),
            authenticated=fields.get("authenticated"),
        )

    def _unexplained(self) -> tuple[str, str, str]:
        if not self.established and self._not_started:
            return _reason(self._not_started)
        if not self.established:
            return "NO_ANSWER", "the tunnel did not come up in time", "give it longer with --timeout"
        missing = self.pings - self.answered
        return "LOCAL_ERROR", f"{missing} of {self.pings} pings were not answered", "see the trace for drops"

    def summary(self, *, heap_peak: int | None = None, fuel: int | None = None) -> dict:
        """The object that `--json` prints. Units: milliseconds, bytes, instructions."""
        return {
            "established": self.established,
            "ike": self._ike,
            "esp": self._esp,
            "virtual_ip": self.virtual_ip,
            "local_ts": self._local_ts or [],
            "remote_ts": self._remote_ts or [],
            "pings": {"sent": self.pings, "answered": self.answered},
            "rtt_ms": self.rtt_ms,
            "handshake_ms": self._handshake_ms,
            "heap_peak": heap_peak,
            "heap_idle": self._heap_idle,
            "fuel": fuel,
            "packets": {"in": self.packets[0], "out": self.packets[1]},
            "closed": self.closed,
            "failure": self.failure(),
        }


def _reason(event) -> tuple[str, str, str]:
    """Name, text and remedy of the reason that an event gives."""
    number = event.fields["reason"]
    return REASON_NAMES.get(number, str(number)), *reasons.explain(event)


def _failure(name, text, remedy, *, notify=None, exchange=None, message_id=None, authenticated=None) -> dict:
    return {
        "reason": name,
        "notify": notify,
        "exchange": exchange,
        "message_id": message_id,
        "authenticated": authenticated,
        "text": text,
        "remedy": remedy,
    }
