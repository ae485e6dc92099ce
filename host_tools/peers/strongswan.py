"""A real strongSwan in a namespace of its own: private /run, private configuration, its own vici socket."""

import re
import subprocess
import time
from pathlib import Path

from host_tools.peers.network import Namespaces

CHARON = "/usr/lib/ipsec/charon"
PLUGINS = (  # of two that can do the same, the first one does it
    "random nonce aes sha1 sha2 md5 hmac kdf gcm chapoly gmp curve25519 openssl pem pkcs1 pkcs8 x509 pubkey constraints"
    " md4 des eap-identity eap-mschapv2 eap-md5 eap-gtc xauth-generic kernel-libipsec kernel-netlink socket-default"
    " vici updown counters"
)
START_S = 15.0
NEW_LINE = "\n"

CONFIGURATION = """
charon {{
  load = {plugins}
  install_routes = yes
  retransmit_timeout = 1.0
  retransmit_tries = 3
  {extra}
  plugins {{
    vici {{ socket = unix://{directory}/vici }}
    kernel-libipsec {{ allow_peer_ts = yes }}
    eap-gtc {{ backend = generic }}
  }}
  filelog {{
    log {{
      path = {directory}/charon.log
      {levels}
      flush_line = yes
    }}
  }}
}}
"""


LOUD = "default = 1\n ike = 2\n cfg = 2"
QUIET = "default = -1"


class PeerError(RuntimeError):
    """strongSwan did not do what it should; the text has its log."""


class Gateway:
    """charon, started by `with`; told what to do through swanctl. `extra` lines go into its strongswan.conf."""

    def __init__(self, namespaces: Namespaces, directory: Path, extra: str = "", plugins=PLUGINS, levels=LOUD):
        self.namespaces = namespaces
        self.directory = directory
        self._settings = {"plugins": plugins, "levels": levels, "extra": extra}
        self._process = None
        self._mark = 0

    def __enter__(self):
        directory = self.directory
        configuration = directory / "strongswan.conf"
        configuration.write_text(CONFIGURATION.format(directory=directory, **self._settings))
        script = f"mount -t tmpfs tmpfs /run && STRONGSWAN_CONF={configuration} exec {CHARON}"
        self._process = subprocess.Popen(
            Namespaces.command(self.namespaces.gateway, "unshare", "-m", "sh", "-c", script),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while not (directory / "vici").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise PeerError("charon did not start\n" + self.log())
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def swanctl(self, *words, check=True) -> str:
        command = Namespaces.command(
            self.namespaces.gateway, "swanctl", *words, "--uri", f"unix://{self.directory}/vici"
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise PeerError(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}\n{self.log()}")
        return done.stdout + done.stderr

    def credentials(self, **files: bytes) -> None:
        """What the next `configure` finds: x509, x509ca and private are a certificate, a CA's, and a key, in PEM."""
        for folder in ("x509", "x509ca", "private"):
            path = self.directory / folder  # swanctl looks beside its file
            path.mkdir(exist_ok=True)
            for old in path.iterdir():
                old.unlink()
            if folder in files:
                (path / "test.pem").write_bytes(files[folder])

    def configure(self, text: str) -> None:
        """Forget every SA, load this swanctl.conf, and begin a new page of the log."""
        self.swanctl("--terminate", "--ike", "peer", "--force", "--timeout", "1", check=False)
        path = self.directory / "swanctl.conf"
        path.write_text(text)
        self.swanctl("--load-all", "--clear", "--file", path)
        self._mark = len(self._text())

    def _text(self) -> str:
        path = self.directory / "charon.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log(self) -> str:
        """What charon wrote since the last `configure`."""
        return self._text()[self._mark :]

    def wait_for(self, pattern: str, seconds: float = 10.0) -> re.Match:
        """A line of the log, once it is there."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.log())
            if found:
                return found
            if time.monotonic() > deadline:
                raise PeerError(f"charon never wrote {pattern!r}\n{self.log()}")
            time.sleep(0.05)

    def counters(self) -> dict[str, int]:
        """Packets and bytes of its only Child SA, as strongSwan counts them."""
        raw = self.swanctl("--list-sas", "--raw")
        found = re.findall(r"\b((?:packets|bytes)-(?:in|out))=(\d+)", raw)
        if len(found) != 4:
            raise PeerError(f"no counters of one Child SA\n{raw}")
        return {name: int(value) for name, value in found}

    def sas(self) -> str:
        return self.swanctl("--list-sas", "--raw")


def connection(
    *,
    ike="aes128-sha256-x25519",
    esp="aes128-sha256",
    remote_id="dev.example",
    local_id="gw.example",
    psk="a key that nobody guesses",
    local_ts="10.1.0.0/16",
    remote_ts="",
    pool=True,
    remote="%any",
    ask_address=False,
    dpd="0s",
    more="",
    second="",
    auth="psk",
) -> str:
    """A swanctl.conf with the one connection "peer" and its child "net"; `second` are the lines of a child "more"."""
    pools = "pools { addresses { addrs = 10.9.0.0/24\n dns = 10.1.0.53 } }" if pool else ""
    return f"""
connections {{
  peer {{
    version = 2
    local_addrs = 192.0.2.1
    remote_addrs = {remote}
    proposals = {ike}
    encap = yes
    dpd_delay = {dpd}
    {"pools = addresses" if pool else ""}
    {"vips = 0.0.0.0" if ask_address else ""}
    {more}
    local {{ auth = {auth}
      {"certs = test.pem" if auth != "psk" else ""}
      id = "{local_id}" }}
    remote {{ auth = {auth}
      {"cacerts = test.pem" if auth != "psk" else ""}
      id = "{remote_id}" }}
    children {{
      net {{
        local_ts = {local_ts}
        {f"remote_ts = {remote_ts}" if remote_ts else ""}
        esp_proposals = {esp}
        mode = tunnel
      }}
      {f"more {{ esp_proposals = {esp}{NEW_LINE}{second} }}" if second else ""}
    }}
  }}
}}
secrets {{ ike-peer {{ secret = "{psk}" }} }}
{pools}
"""
