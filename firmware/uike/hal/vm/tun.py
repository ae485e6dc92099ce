"""The host's TUN device in the VM: IP packets in and out of the tunnel."""

from uike.hal.vm import call, give, take


class Tun:
    def read(self):
        """The next packet that the host wants to send, or None."""
        size = call("tun_read")
        return take(int(size)) if size else None

    def write(self, packet):
        """Hand a packet to the host."""
        give("tun_write", packet)
