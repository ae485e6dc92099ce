"""TCP and UDP in the local network on CPython, by the host."""


class Lan:
    def __init__(self, host):
        lan = host.lan
        self.listen = lan.listen
        self.accept = lan.accept
        self.connect = lan.connect
        self.receive = lan.receive
        self.send = lan.send
        self.bind = lan.bind
        self.receive_from = lan.receive_from
        self.send_to = lan.send_to
        self.close = lan.close
