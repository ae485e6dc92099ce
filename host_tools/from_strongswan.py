"""`uike from-strongswan`: a swanctl.conf in, the configuration of a board out: of the board that it talks to, or in its
place."""

import ipaddress

import rich_click as click

from host_tools import arguments, config_file, swanctl
from uike import config, identity, keywords
from uike.wire import address

WRONG_USE = 2
_KEYS_NOT_KEPT = {  # what a board has not got, or does by itself
    "keyingtries": "a board tries for ever (reconnect_max)",
    "unique": "a board keeps one IKE SA for an identity",
    "aggressive": "IKEv1 only",
    "if_id_in": "a board has no interfaces for it",
    "if_id_out": "a board has no interfaces for it",
}


class ConversionError(Exception):
    """This connection cannot be one of a board's; the text says why."""


def convert(tree: dict, name: str, same: bool, remote: str = "") -> tuple[dict, list[str]]:
    """(the table of [connection.NAME], what was left out and why). `same`: the board takes strongSwan's place, and not
    the other end's. Raises ConversionError."""
    source = tree.get("connections", {}).get(name)
    if not isinstance(source, dict):
        raise ConversionError(f"no connection {name}; there are {', '.join(tree.get('connections', {})) or 'none'}")
    return _Conversion(tree, name, source, same, remote).made()


class _Conversion:
    def __init__(self, tree, name, source, same, remote):
        self.tree, self.name, self.source, self.same, self.remote = tree, name, source, same, remote
        self.notes = [f"{key}: {why}" for key, why in _KEYS_NOT_KEPT.items() if key in source]
        self.table: dict = {}
        local, far = (_authentication(source, side) for side in ("local", "remote"))
        self.ours, self.theirs = (local, far) if same else (far, local)
        children = [(key, each) for key, each in source.get("children", {}).items() if isinstance(each, dict)]
        self.children = children or [("net", {})]

    def made(self):
        if self.source.get("version") == "1":
            raise ConversionError("version = 1: a board speaks IKEv2 only")
        self._role()
        self._identities()
        self._secrets()
        self._proposals()
        self._traffic()
        self._times()
        try:
            config.load({"connection": {self.name: _checkable(self.table)}})
        except config.ConfigError as error:
            raise ConversionError(config_file.describe(error)) from None
        return self.table, self.notes

    def _role(self):
        starts = any(each.get("start_action", "").startswith(("start", "trap")) for _, each in self.children)
        asks = bool(self.source.get("vips"))
        begins = (starts or asks) == self.same  # whose the board is to be
        self.table["role"] = "initiator" if begins else "responder"
        far = self.source.get("remote_addrs" if self.same else "local_addrs")
        known = [each for each in swanctl.values(far) if each not in ("%any", "0.0.0.0/0", "0.0.0.0")]
        known = [self.remote] if self.remote else known
        if not known and begins:
            raise ConversionError("it does not say where the gateway is: --remote ADDRESS")
        self.table["remote"] = known[0] if known else "%any"

    def _identities(self):
        own = self.ours.get("id") or _alone(self.source.get("local_addrs" if self.same else "remote_addrs"))
        if not own:
            raise ConversionError("the board's side has no id: add one, such as dev.example")
        self.table["local_id"] = _identity(own)
        if self.theirs.get("id") not in (None, "%any"):
            self.table["remote_id"] = _identity(self.theirs["id"])

    def _secrets(self):
        ours, theirs = (each.get("auth", "pubkey") for each in (self.ours, self.theirs))
        for each in (ours, theirs):
            if each != "psk" and not each.startswith(("pubkey", "rsa", "ecdsa", "ed25519")):
                raise ConversionError(f"auth = {each}: a board has psk and pubkey")
        if "psk" in (ours, theirs):
            self.table["psk"] = self._psk()
        if ours != "psk":
            self.table["cert"], self.table["key"] = ["board.pem"], "board.key"
            self.notes.append("cert, key: put the board's own beside the file")
        if theirs != "psk":
            known = swanctl.values(self.theirs.get("pubkeys") or self.theirs.get("cacerts")) if self.same else []
            self.table["cacerts"] = known or ["ca.pem"]
        if self.source.get("ppk_id"):
            self._ppk(self.source["ppk_id"])

    def _ppk(self, name):
        self.table["ppk_id"] = name
        if "ppk_required" in self.source:
            self.table["ppk_required"] = self.source["ppk_required"] in ("yes", "true", "1")
        for key, each in self.tree.get("secrets", {}).items():
            owners = [value for part, value in each.items() if part.startswith("id")] if isinstance(each, dict) else []
            if key.startswith("ppk") and "secret" in each and name in (owners or [name]):
                self.table["ppk"] = each["secret"]
                return
        raise ConversionError(f"secrets: there is no ppk {name}")

    def _psk(self):
        wanted = {self.table["local_id"], self.table.get("remote_id")}
        best = None
        for key, each in self.tree.get("secrets", {}).items():
            if isinstance(each, dict) and key.startswith("ike") and "secret" in each:
                owners = {_identity(value) for name, value in each.items() if name.startswith("id") and value != "%any"}
                if owners <= wanted and (best is None or len(owners) > best[0]):
                    best = (len(owners), each["secret"])
        if best is None:
            raise ConversionError("secrets: none is for these two identities")
        return best[1]

    def _proposals(self):
        found = self._spoken(self.source.get("proposals"), True)
        if found:
            self.table["proposals"] = found
        found = self._spoken(self.children[0][1].get("esp_proposals"), False)
        if found:
            self.table["esp_proposals"] = found

    def _spoken(self, text, ike):
        found = []
        for each in swanctl.values(text):
            if each == "default":
                continue
            try:
                keywords.parse(each, ike)
                found.append(each)
            except ValueError as error:
                self.notes.append(f"{each}: left out, {error}")
        if swanctl.values(text) and not found and "default" not in swanctl.values(text):
            raise ConversionError(f"{text}: a board speaks none of these")
        return found

    def _traffic(self):
        initiator = self.table["role"] == "initiator"
        gives, asks = bool(self.source.get("pools")), bool(self.source.get("vips"))
        virtual = asks if self.same else gives
        hands_out = gives if self.same else asks
        if initiator and virtual:
            self.table["virtual_ip"] = True
        for index, (name, child) in enumerate(self.children):
            ours = self._selectors(child, "local_ts" if self.same else "remote_ts")
            theirs = self._selectors(child, "remote_ts" if self.same else "local_ts")
            rows = {} if virtual else {"local_ts": ours}
            if not (hands_out and not initiator):
                rows["remote_ts"] = theirs
            rows = {key: value for key, value in rows.items() if value}
            if index == 0:
                self.table.update(rows)
                if child.get("mode") == "transport":
                    self.table["mode"] = "transport"
            elif rows.get("remote_ts"):
                self.table.setdefault("child", {})[name] = rows
        if hands_out and not initiator:
            self._pool()

    def _pool(self):
        pool = (
            self.tree.get("pools", {}).get(swanctl.values(self.source.get("pools", ""))[:1][0], {}) if self.same else {}
        )
        self.table["pool"] = pool.get("addrs") or "10.9.0.0/24"
        if not pool:
            self.notes.append("pool: strongSwan asks for an address; choose the network that it is to come from")
        if pool.get("dns"):
            self.table["dns"] = swanctl.values(pool["dns"])
        self.table.pop("remote_ts", None)

    def _selectors(self, child, key):
        found = []
        for each in swanctl.values(child.get(key)):
            if each != "dynamic":
                found.append(_network(each))
        return found

    def _times(self):
        rows = (("dpd_delay", "dpd_delay", self.source), ("rekey_time", "rekey_time", self.source))
        rows += (("reauth_time", "reauth_time", self.source), ("esp_rekey_time", "rekey_time", self.children[0][1]))
        for ours, theirs, where in rows:
            if theirs in where and (ours != "reauth_time" or self.table["role"] == "initiator"):
                self.table[ours] = swanctl.seconds(where[theirs])
        for key in ("mobike", "fragmentation"):
            if self.source.get(key) in ("no", "false", "0"):
                self.table[key] = False


def _authentication(source, side) -> dict:
    """The section local or remote; a second round of authentication is more than a board does."""
    found = [each for key, each in source.items() if key.split("-")[0] == side and isinstance(each, dict)]
    if len(found) > 1:
        raise ConversionError(f"{side}: {len(found)} rounds of authentication; a board does one")
    return found[0] if found else {}


def _alone(text) -> str:
    each = swanctl.values(text)
    return each[0] if len(each) == 1 and address.parse(each[0]) else ""


def _identity(text: str) -> str:
    """strongSwan's fqdn:, keyid: and @# forms in ours."""
    for prefix in ("fqdn:", "email:", "ipv4:", "ipv6:", "rfc822:"):
        text = text.removeprefix(prefix)
    if text.startswith("@") and text[1:2] != "#":
        text = text[1:]
    try:
        identity.parse(text)
    except ValueError as error:
        raise ConversionError(f"id {text}: {error}") from None
    return text


def _network(text: str) -> str:
    """A selector with its host bits zero, as a board wants it."""
    base, bracket, tail = text.partition("[")
    if "-" in base:
        return text
    try:
        return str(ipaddress.ip_network(base, strict=False)) + bracket + tail
    except ValueError:
        raise ConversionError(f"{text}: not a network") from None


def _checkable(table: dict) -> dict:
    """The table without the files, which are not there yet."""
    rest = {key: value for key, value in table.items() if key not in ("cert", "key", "cacerts")}
    return rest if "psk" in rest or rest == table else {**rest, "psk": "in the place of certificates"}


def toml(name: str, table: dict) -> str:
    """The file of a connection."""
    rows = [f"[connection.{name}]"]
    rows += [f"{key} = {_toml_value(value)}" for key, value in table.items() if key != "child"]
    for child, inner in table.get("child", {}).items():
        rows += ["", f"[connection.{name}.child.{child}]"]
        rows += [f"{key} = {_toml_value(value)}" for key, value in inner.items()]
    return "\n".join(rows) + "\n"


def _toml_value(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in escaped) + '"'


@click.command(name="from-strongswan")
@click.argument("file", type=arguments.FILE)
@click.option("--connection", "name", metavar="NAME", help="Which connection. [default: the only one]")
@click.option(
    "--side",
    type=click.Choice(["other", "same"]),
    default="other",
    show_default=True,
    help="The board talks to this strongSwan, or takes its place.",
)
@click.option("--remote", metavar="ADDRESS", default="", help="Where the other end is, if the file does not say.")
@click.pass_context
def command(context, file, name, side, remote):
    """Print the configuration (TOML) of a board from a swanctl.conf. It has the pre-shared key in it.

    What a board does not speak is left out, and said on standard error.
    """
    try:
        tree = swanctl.parse(file.read_text(encoding="utf-8"))
        found = [key for key, each in tree.get("connections", {}).items() if isinstance(each, dict)]
        if name is None and len(found) != 1:
            raise ConversionError(f"--connection: one of {', '.join(found) or 'none'}")
        name = name or found[0]
        table, notes = convert(tree, name, side == "same", remote)
    except (ConversionError, swanctl.SwanctlError, UnicodeDecodeError) as error:
        click.echo(f"uike from-strongswan: {file}: {error}", err=True)
        context.exit(WRONG_USE)
    for note in notes:
        click.echo(f"uike from-strongswan: {note}", err=True)
    click.echo(toml(name, table), nl=False)
