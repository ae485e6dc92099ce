"""UDP in the VM. The host drops empty datagrams and those of more than 2048 bytes."""

from uike.hal.vm import call, give, take


class Udp:
    def open(self, ports):
        """Bind the ports; OSError when one cannot be had."""
        call("udp_open", " ".join([str(port) for port in ports]))

    def receive(self):
        """(datagram, (address, port), local port), or None when nothing is there."""
        head = call("udp_receive")
        if not head:
            return None
        size, address, port, local_port = head.split(" ")
        return take(int(size)), (address, int(port)), int(local_port)

    def send(self, datagram, destination, local_port):
        """False when there is no room for it now."""
        return give("udp_send", datagram, "%s %d %d" % (destination[0], destination[1], local_port)) == "1"

    def address_for(self, address):
        """Our own IPv4 address towards another one."""
        return call("address_for", address)

    def resolve(self, name):
        """IPv4 address of a host name, or None."""
        return call("resolve", name) or None
