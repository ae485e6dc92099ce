"""TCP and UDP in the local network in the VM, by the host. A handle is a number."""

from uike.hal.vm import call, give, take


class Lan:
    def listen(self, address, port):
        return int(call("lan_listen", "%s %d" % (address, port)))

    def accept(self, handle):
        reply = call("lan_accept", str(handle))
        if not reply:
            return None
        made, address, port = reply.split(" ")
        return int(made), (address, int(port))

    def connect(self, address, port):
        return int(call("lan_connect", "%s %d" % (address, port)))

    def receive(self, handle, most):
        size = call("lan_receive", "%d %d" % (handle, most))
        return bytes(take(int(size))) if size else None

    def send(self, handle, data):
        return int(give("lan_send", data, str(handle)))

    def bind(self, address, port):
        return int(call("lan_bind", "%s %d" % (address, port)))

    def receive_from(self, handle):
        head = call("lan_receive_from", str(handle))
        if not head:
            return None
        size, address, port = head.split(" ")
        return bytes(take(int(size))), (address, int(port))

    def send_to(self, handle, data, where):
        give("lan_send_to", data, "%d %s %d" % (handle, where[0], where[1]))

    def close(self, handle):
        call("lan_close", str(handle))
