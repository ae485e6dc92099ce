"""The host's TUN device on CPython: IP packets in and out of the tunnel."""


class Tun:
    def __init__(self, host):
        self.read = host.tun_read
        self.write = host.tun_write
