"""UDP on CPython. The host drops empty datagrams and those of more than 2048 bytes."""


class Udp:
    def __init__(self, host):
        self.open = host.udp_open
        self.receive = host.udp_receive
        self.send = host.udp_send
        self.address_for = host.address_for
        self.resolve = host.resolve
