"""Two network namespaces joined by a cable: 192.0.2.1 (gateway) and 192.0.2.2 (board). Removed when left."""

import os
import subprocess

GATEWAY, BOARD = "192.0.2.1", "192.0.2.2"
INNER = "10.1.0.1"  # behind the gateway


class Namespaces:
    """`run` and `start` put programs into one of them."""

    def __init__(self, suffix: str = ""):
        self.gateway = f"uike-gw-{os.getpid()}{suffix}"
        self.board = f"uike-dev-{os.getpid()}{suffix}"
        self._made = []

    def __enter__(self):
        try:
            for name in (self.gateway, self.board):
                _ip("netns", "add", name)
                self._made.append(name)
                _ip("-n", name, "link", "set", "lo", "up")
            _ip("link", "add", "dev0", "netns", self.board, "type", "veth", "peer", "gw0", "netns", self.gateway)
            for name, link, address in ((self.gateway, "gw0", GATEWAY), (self.board, "dev0", BOARD)):
                _ip("-n", name, "address", "add", f"{address}/24", "dev", link)
                _ip("-n", name, "link", "set", link, "up")
            _ip("-n", self.gateway, "address", "add", f"{INNER}/32", "dev", "lo")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self._made:
            subprocess.run(["ip", "netns", "delete", name], check=False)

    def link(self, up: bool) -> None:
        """Plug or unplug the cable at the gateway's end."""
        _ip("-n", self.gateway, "link", "set", "gw0", "up" if up else "down")

    @staticmethod
    def command(namespace: str, *words) -> list[str]:
        """The words of a command that runs in a namespace."""
        return ["ip", "netns", "exec", namespace, *map(str, words)]


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
