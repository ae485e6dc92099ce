"""The keys of a recording as Wireshark's tables: `ikev2_decryption_table` and `esp_sa`.

A board tells each key as it makes a cipher, of an IKE SA or of a Child SA, two at a time, the direction of the
exchange's initiator first. What they belong to is told by the event that follows.
"""

from pathlib import Path
from typing import NamedTuple

from host_tools import payloads
from uike import iana

_IKE_CIPHERS = {  # (cipher, bytes of its key with the salt): Wireshark's name
    (iana.ENCR_AES_CBC, 16): "AES-CBC-128 [RFC3602]",
    (iana.ENCR_AES_CBC, 32): "AES-CBC-256 [RFC3602]",
    (iana.ENCR_AES_GCM_16, 20): "AES-GCM-128 with 16 octet ICV [RFC5282]",
    (iana.ENCR_AES_GCM_16, 36): "AES-GCM-256 with 16 octet ICV [RFC5282]",
}
_IKE_HASHES = {
    0: "NONE [RFC4306]",
    iana.AUTH_HMAC_SHA2_256_128: "HMAC_SHA2_256_128 [RFC4868]",
    iana.AUTH_HMAC_SHA2_384_192: "HMAC_SHA2_384_192 [RFC4868]",
    iana.AUTH_HMAC_SHA2_512_256: "HMAC_SHA2_512_256 [RFC4868]",
}
_ESP_CIPHERS = {
    iana.ENCR_AES_CBC: "AES-CBC [RFC3602]",
    iana.ENCR_AES_GCM_16: "AES-GCM with 16 octet ICV [RFC4106]",
}
_ESP_HASHES = {
    0: "NULL",
    iana.AUTH_HMAC_SHA2_256_128: "HMAC-SHA-256-128 [RFC4868]",
    iana.AUTH_HMAC_SHA2_384_192: "HMAC-SHA-384-192 [RFC4868]",
    iana.AUTH_HMAC_SHA2_512_256: "HMAC-SHA-512-256 [RFC4868]",
}


class Tables(NamedTuple):
    """The rows of both tables; `unknown` counts keys of ciphers that Wireshark has no name for."""

    ike: list[str]
    esp: list[str]
    unknown: int


def tables(events) -> Tables:
    """The tables of a recording; empty when the board did not tell its keys."""
    return _Reader().read(events)


def write(directory: Path, found: Tables) -> None:
    """Both files, for Wireshark's configuration folder, readable by their owner only."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, rows in (("ikev2_decryption_table", found.ike), ("esp_sa", found.esp)):
        path = directory / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text("".join(f"{row}\n" for row in rows))


class _Reader:
    def __init__(self):
        self._pending: list[dict] = []  # two of each SA
        self._last: dict[int, tuple] = {}  # SA: (header, whether we sent it) of its last message
        self.found = Tables([], [], 0)
        self._unknown = 0

    def read(self, events) -> Tables:
        for each in events:
            if each.name == "keys":
                self._pending.append(each.fields)
            elif each.name == "message":
                head = payloads.header(each.fields["data"])
                if head:
                    self._last[each.sa] = head, each.fields["out"]
                    if head.exchange == iana.IKE_AUTH and not head.response:
                        self._ike_sa(head)
            elif each.name == "child_up":
                self._child(each)
            elif each.name == "ike_rekeyed":
                self._ike(each.fields["spi_i"], each.fields["spi_r"], self._take(False))
        return self.found._replace(unknown=self._unknown)

    def _take(self, newest: bool) -> list[dict]:
        at = max(0, len(self._pending) - 2) if newest else 0
        taken = self._pending[at : at + 2]
        del self._pending[at : at + 2]
        return taken

    def _ike_sa(self, head) -> None:
        """The keys of a negotiated IKE SA are the oldest: those of its Child SA follow in IKE_AUTH."""
        if not any(row.startswith(head.spi_i) for row in self.found.ike):
            self._ike(head.spi_i, head.spi_r, self._take(False))

    def _ike(self, spi_i: str, spi_r: str, pair: list[dict]) -> None:
        if len(pair) != 2:
            return
        first, second = pair
        cipher = _IKE_CIPHERS.get((first["encr"], len(first["key"])))
        if cipher is None or first["integ"] not in _IKE_HASHES:
            self._unknown += 1
            return
        row = (spi_i, spi_r, first["key"].hex(), second["key"].hex(), f'"{cipher}"')
        integrity = (first["integ_key"].hex(), second["integ_key"].hex(), f'"{_IKE_HASHES[first["integ"]]}"')
        self.found.ike.append(",".join(row + integrity))

    def _child(self, event) -> None:
        pair = self._take(True)
        if len(pair) != 2:
            return
        head, out = self._last.get(event.sa, (None, False))
        ours = head is not None and head.response != out  # our exchange, if its response came to us
        spis = (event.fields["spi_out"], event.fields["spi_in"])
        for spi, keys in zip(spis if ours else spis[::-1], pair, strict=True):
            if keys["encr"] not in _ESP_CIPHERS or keys["integ"] not in _ESP_HASHES:
                self._unknown += 1
                continue
            integrity = f"0x{keys['integ_key'].hex()}" if keys["integ_key"] else ""
            row = ("IPv4", "*", "*", f"0x{spi}", _ESP_CIPHERS[keys["encr"]], f"0x{keys['key'].hex()}")
            self.found.esp.append(",".join(f'"{each}"' for each in (*row, _ESP_HASHES[keys["integ"]], integrity)))
