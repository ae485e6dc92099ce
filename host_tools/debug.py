"""The live trace, in the manner of Cisco's `debug crypto ikev2`: an Event in, lines on the screen out.

0.043  IKEv2:(SA 1) sent IKE_SA_INIT request, message ID 0, to 192.0.2.1:500, 231 bytes
          SA    proposal 1, IKE: AES_CBC_128/PRF_HMAC_SHA2_256/HMAC_SHA2_256_128/CURVE25519
"""

from rich.console import Console
from rich.text import Text

from host_tools import names, payloads, reasons
from uike import reason

_COLLISIONS = ("", "; both did at once, and ours stays", "; both did at once, and the peer's stays")
_INDENT = " " * 11
NORMAL_ENDS = (reason.DELETED_BY_US, reason.DELETED_BY_PEER, reason.REPLACED, reason.REDIRECTED, reason.SENT_AWAY)
_STYLES = {"good": "bold green", "bad": "bold red", "warn": "yellow", "sent": "cyan", "received": "magenta"}


class Renderer:
    """Prints events on a rich Console. `prefix` stands before each line; verbose 0 leaves out the payloads."""

    def __init__(self, console: Console, prefix: str | Text = "", verbose: int = 1):
        self._console = console
        self._prefix = prefix if isinstance(prefix, Text) else Text(prefix)
        self._verbose = verbose

    def event(self, event) -> None:
        """Print one decoded event; never raises for what a board says."""
        for index, (text, style) in enumerate(self.lines(event)):
            start = f"{event.time_ms / 1000:>9.3f}  " if index == 0 else _INDENT
            if index == 0:
                text = f"IKEv2:(SA {event.sa}) {text}" if event.sa else text
            line = Text.assemble(self._prefix, (start, "dim"), (text, _STYLES.get(style, style)))
            self._console.print(line, soft_wrap=True)

    def lines(self, event) -> list[tuple[str, str]]:
        """(text, style) of each line of an event; the styles are "good", "bad", "warn", "sent", or rich's."""
        return getattr(self, f"_{event.name}", self._unknown)(event)

    def _unknown(self, event):
        return [(f"{event.name}: {event.fields}", "dim")]

    # -- messages ----------------------------------------------------------------------------------------------------

    def _message(self, event):
        fields = event.fields
        head = payloads.header(fields["data"])
        if head is None:
            return [("a message too short to show", "warn")]
        verb, preposition, style = ("sent", "to", "sent") if fields["out"] else ("received", "from", "received")
        kind = "response" if head.response else "request"
        sealed = ", encrypted" if fields["encrypted"] else ""
        lines = [
            (
                f"{verb} {names.exchange(head.exchange)} {kind}, message ID {head.message_id},"
                f" {preposition} {names.endpoint_text(fields['remote'])}, {fields['length']} bytes{sealed}",
                style,
            )
        ]
        if not self._verbose:
            return lines
        lines.append((f"SPIs  {head.spi_i}_i {head.spi_r}_r", "dim"))
        for payload in payloads.decode(fields["data"]):
            for index, text in enumerate(payload.lines or [""]):
                name = payload.name if index == 0 else ""
                lines.append((f"{name:<5} {text}", "" if payload.sound else "warn"))
        if len(lines) == 2:
            lines.append(("no payloads", "dim"))
        return lines

    def _fragment(self, event):
        fields = event.fields
        verb, style = ("made", "sent") if fields["out"] else ("received", "received")
        kind = "response" if fields["response"] else "request"
        return [
            (
                f"{verb} fragment {fields['number']} of {fields['of']} of {names.exchange(fields['exchange'])} {kind},"
                f" message ID {fields['message_id']}, {fields['length']} bytes",
                style,
            )
        ]

    def _offer(self, event):
        whose = "ours" if event.fields["ours"] else "the peer's"
        try:
            found = payloads.proposals(event.fields["data"])
        except Exception:  # a peer's bytes
            found = [names.hex_text(event.fields["data"])]
        return [(f"proposals compared, {whose}:", "warn")] + [(line, "warn") for line in found]

    # -- the SA ------------------------------------------------------------------------------------------------------

    def _negotiating(self, event):
        fields = event.fields
        role, verb = ("initiator", "connecting to") if fields["initiator"] else ("responder", "request from")
        name = names.printable(fields["name"].encode())
        return [(f"{verb} {names.endpoint_text(fields['remote'])} as {role}, connection {name}", "bold")]

    def _state(self, event):
        return [(f"state {names.state(event.fields['old'])} -> {names.state(event.fields['new'])}", "dim")]

    def _ike_proposal(self, event):
        return [(f"IKE proposal chosen: {names.proposal_text(event.fields['transforms'])}", "")]

    def _nat(self, event):
        fields = event.fields
        if not fields["supported"]:
            return [("the peer does not speak NAT traversal", "warn")]
        where = {
            (False, False): "no NAT found",
            (True, False): "we are behind a NAT",
            (False, True): "the peer is behind a NAT, or says so to have ESP in UDP",
            (True, True): "both sides are behind a NAT, or say so to have ESP in UDP",
        }[fields["local"], fields["remote"]]
        return [(where, "")]

    def _retransmit(self, event):
        fields = event.fields
        return [
            (
                f"no answer to {names.exchange(fields['exchange'])} message ID {fields['message_id']};"
                f" sent again ({fields['attempt']} of {fields['of']})",
                "warn",
            )
        ]

    def _established(self, event):
        fields = event.fields
        peer = names.id_text(fields["id_type"], fields["identity"])
        return [(f"IKE SA established with {peer}, after {fields['elapsed_ms']} ms", "good")]

    def _child_up(self, event):
        fields = event.fields
        here, there = (", ".join(map(names.selector_text, fields[key])) for key in ("local_ts", "remote_ts"))
        return [
            (f"Child SA up: {names.proposal_text(fields['transforms'])}", "good"),
            (f"SPIs  in {fields['spi_in']}, out {fields['spi_out']}", ""),
            (f"TS    {here} === {there}", ""),
        ]

    def _child_down(self, event):
        fields = event.fields
        traffic = [
            f"{fields['packets_' + way]} packets {way} ({fields['bytes_' + way]} bytes)" for way in ("in", "out")
        ]
        return [(f"Child SA {fields['spi_in']} down: {', '.join(traffic)}", "")]

    def _child_rekeyed(self, event):
        fields = event.fields
        who = "by us" if fields["ours"] else "by the peer"
        return [
            (f"Child SA {fields['old']} replaced by {fields['new']}, {who}{_COLLISIONS[fields['collision']]}", "good")
        ]

    def _ike_rekeyed(self, event):
        fields = event.fields
        who = "by us" if fields["ours"] else "by the peer"
        return [
            (f"IKE SA replaced by SA {fields['successor']}, {who}{_COLLISIONS[fields['collision']]}", "good"),
            (f"SPIs  {fields['spi_i']}_i {fields['spi_r']}_r", "dim"),
        ]

    def _address_changed(self, event):
        fields = event.fields
        moved = [
            f"{who} {names.endpoint_text(fields['old_' + key])} -> {names.endpoint_text(fields[key])}"
            for who, key in (("our address", "local"), ("the peer", "remote"))
            if fields["old_" + key] != fields[key]
        ]
        return [(f"moved: {', '.join(moved)}", "warn")]

    def _redirected(self, event):
        old, new = (names.endpoint_text(event.fields[key]) for key in ("old", "new"))
        return [(f"redirected: {old} -> {new}", "warn")]

    def _reauthenticated(self, event):
        return [(f"authenticated anew: replaced by SA {event.fields['successor']}", "good")]

    def _reconnect(self, event):
        fields = event.fields
        name = names.printable(fields["name"].encode())
        return [
            (f"next attempt to reach {name} in {fields['in_ms'] / 1000:.1f} s (number {fields['attempt']})", "warn")
        ]

    def _engine_fault(self, event):
        code, name = event.fields["code"], names.printable(event.fields["name"].encode())
        return [(f"accelerator {name}: {reasons.ENGINE_FAULTS.get(code, code)}; software did its work", "warn")]

    def _address(self, event):
        fields = event.fields
        addresses = " and ".join(filter(None, (fields["address"], fields["address6"])))
        netmask = f", netmask {fields['netmask']}" if fields["netmask"] else ""
        rest = "".join(
            f", {word} {', '.join(fields[name])}"
            for word, name in (("DNS", "dns"), ("for", "domains"), ("networks", "subnets"))
            if fields[name]
        )
        return [(f"virtual IP {addresses}{netmask}{rest}", "")]

    def _closed(self, event):
        return self._verdict("closed", event, event.fields["reason"] in NORMAL_ENDS)

    def _reject(self, event):
        return self._verdict("refused", event, False)

    def _verdict(self, verb, event, normal):
        text, remedy = reasons.explain(event)
        name = reasons.NAMES.get(event.fields["reason"], "?")
        lines = [(f"{verb}, {name}: {text}", "" if normal else "bad")]
        return lines if normal else [*lines, (f"remedy: {remedy}", "bold")]

    def _liveness(self, event):
        return [(f"nothing heard for {event.fields['silence_s']} s: asking whether the peer is there", "")]

    def _keepalive(self, event):
        return [(f"NAT keepalive to {names.endpoint_text(event.fields['remote'])}", "dim")]

    # -- the board ---------------------------------------------------------------------------------------------------

    def _drop(self, event):
        fields = event.fields
        text, _ = reasons.explain(event)
        name = reasons.NAMES.get(fields["reason"], "?")
        where = f" from {names.endpoint_text(fields['remote'])}" if fields["remote"][1] else ""
        return [(f"dropped{where}, {name}: {text}", "warn")]

    def _ping(self, event):
        fields = event.fields
        if fields["answered"]:
            text = (
                f"{fields['length']} bytes from {fields['peer']}: sequence {fields['sequence']}, {fields['rtt_ms']} ms"
            )
            return [(text, "good")]
        return [(f"ping {fields['sequence']} to {fields['peer']}: no answer in {fields['rtt_ms']} ms", "bad")]

    def _heap(self, event):
        fields = event.fields
        return [(f"heap: {fields['used']} bytes in use, {fields['free']} free", "dim")]

    def _greeting(self, event):
        return [(names.printable(event.fields["text"].encode()), "bold")]

    def _config_error(self, event):
        key, _, rest = event.fields["text"].partition("\t")
        problem, _, allowed = rest.partition("\t")
        said = names.printable(f"configuration refused: {key}: {problem}".encode(), 400)
        return [(said, "bad")] + ([(names.printable(f"allowed: {allowed}".encode(), 400), "")] if allowed else [])

    def _command_error(self, event):
        return [(names.printable(f"command refused: {event.fields['text']}".encode(), 400), "bad")]

    def _self_test(self, event):
        fields = event.fields
        return [(f"self-test passed: {fields['passed']} primitives in {fields['elapsed_ms']} ms", "dim")]

    def _engine_retired(self, event):
        name = names.printable(event.fields["text"].encode())
        return [(f"accelerator {name} failed its self-test: done without until the next power-on", "warn")]

    def _seed(self, event):
        text, remedy = reasons.explain(event)
        return [(text, "dim")] if event.fields["reason"] == reason.SEED_MISSING else [(f"{text}; {remedy}", "warn")]

    def _datagram(self, event):
        fields = event.fields
        verb, preposition = ("sent", "to") if fields["out"] else ("received", "from")
        where = names.endpoint_text(fields["remote"])
        return [(f"{verb} a datagram of {len(fields['data'])} bytes {preposition} {where}", "dim")]

    def _keys(self, event):
        return [("A KEY IS IN THIS TRACE: whoever has it reads the tunnel (trace_keys = true)", "bold reverse red")]

    def _stopped(self, event):
        return self._verdict("stopped", event, False)

    def _boot(self, event):
        fields = event.fields
        cause = reasons.RESET_CAUSES.get(fields["cause"], f"cause {fields['cause']}")
        lines = [(f"started after {cause}, boot {fields['boots']} since the last good one", "dim")]
        if fields["reason"]:
            text, remedy = reasons.explain(event)
            normal = fields["reason"] == reason.RESTART_ASKED
            lines += [(f"the last run ended: {text}", "" if normal else "warn")]
            lines += [] if normal else [(f"remedy: {remedy}", "bold")]
        return lines

    def _not_started(self, event):
        text, remedy = reasons.explain(event)
        return [(f"no attempt: {text}", "warn"), (f"remedy: {remedy}", "bold")]

    def _safe_mode(self, event):
        fields = event.fields
        why = "its pin says so" if fields["strap"] else f"{fields['boots'] - 1} boots in a row failed"
        return [(f"safe mode, {why}: only the console runs; it tries again in a quarter of an hour", "bad")]

    def _update(self, event):
        version = names.printable(event.fields["version"].encode())
        step = {
            1: f"update to {version} begins",
            2: f"update to {version} is complete, and on from the next boot",
            3: "the new version has proved itself, and stays",
        }.get(event.fields["step"], f"update: step {event.fields['step']}")
        return [(step, "good" if event.fields["step"] == 3 else "")]

    def _store_fallen(self, event):
        name = names.printable(event.fields["text"].encode())
        return [(f"stored file {name} was broken: the one before it is in use", "warn")]

    def _provisioned(self, event):
        return [(f"configuration stored, SHA-256 {event.fields['sha256']}; used after a restart", "good")]

    def _erased(self, event):
        return [("configuration, keys and seed erased", "warn")]

    def _admin_refused(self, event):
        text, remedy = reasons.explain(event)
        return [(f"{text} ({event.fields['attempts']} in a row); {remedy}", "bad")]

    def _garbled(self, event):
        return [(names.printable(f"garbled record: {event.fields['text']}".encode()), "warn")]
