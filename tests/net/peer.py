"""A TCP peer made of scapy's packets, one by one: says exactly what a test wants, and decodes what we send."""

from scapy.layers.inet import IP, TCP
from scapy.packet import Raw

from tests.net.wire import OURS, THEIRS, stack

OUR_ADDRESS, THEIR_ADDRESS = "10.9.0.1", "10.1.0.1"


class Peer:
    """Faces a stack of ours at port 80 of it (`listen`) or of itself (`accept`). Sequence numbers are relative: the
    first byte of data is 1 both ways."""

    def __init__(self, size=4096, isn=1_000, window=8_000):
        self.stack = stack(OURS, THEIRS)
        self.tcp = self.stack.tcp()
        self.size = size
        self.isn = isn
        self.window = window
        self.now = 0
        self.ours = None  # our initial sequence number
        self.port = 4_000
        self.our_port = 80
        self.connection = None

    def send(self, flags="A", seq=1, ack=1, data=b"", window=None, options=(), **fields):
        """One segment. Returns what `receive` of the stack said."""
        segment = TCP(
            sport=self.port,
            dport=self.our_port,
            flags=flags,
            seq=(self.isn + seq) % 2**32,
            ack=((self.ours or 0) + ack) % 2**32 if "A" in flags else 0,
            window=self.window if window is None else window,
            options=list(options),
            **fields,
        )
        packet = bytes(IP(src=THEIR_ADDRESS, dst=OUR_ADDRESS) / segment / Raw(data))
        return self.stack.receive(memoryview(bytearray(packet)), self.now)

    def take(self):
        """What we send now: (flags, seq, ack, data) each; window and options of the last are kept. Checksums hold."""
        out = []
        packet = self.stack.next_packet(self.now)
        while packet:
            decoded = IP(bytes(packet))
            sums = decoded.chksum, decoded[TCP].chksum
            del decoded.chksum, decoded[TCP].chksum
            again = IP(bytes(decoded))
            assert (again.chksum, again[TCP].chksum) == sums
            segment = again[TCP]
            assert (again.src, again.dst, again.flags, again.ttl) == (OUR_ADDRESS, THEIR_ADDRESS, "DF", 64)
            assert (segment.sport, segment.dport) == (self.our_port, self.port)
            if segment.flags.S:
                self.ours = segment.seq
            data = bytes(segment.payload)
            seq = (segment.seq - (self.ours or 0)) % 2**32
            ack = (segment.ack - self.isn) % 2**32 if segment.flags.A else None
            out.append((str(segment.flags), seq, ack, data))
            self.told_window, self.options = segment.window, segment.options
            packet = self.stack.next_packet(self.now)
        return out

    def after(self, ms):
        """What we send by ourselves, as time passes: (ms since then, flags, seq, ack, data) each."""
        start, end, out = self.now, self.now + ms, []
        while True:
            self.stack.tick(self.now)
            out += [(self.now - start, *row) for row in self.take()]
            due = self.stack.deadline()
            if due is None or due > end:
                self.now = end
                return out
            self.now = max(due, self.now + 1)

    def connect(self, mss=1_000):
        """The peer connects to our port 80; the connection is established."""
        listener = self.tcp.listen(80, size=self.size)
        assert self.send("S", seq=0, options=[("MSS", mss)]) == 0
        assert self.take() == [("SA", 0, 1, b"")]
        assert self.send() == 0
        self.connection = listener.accept()
        return self.connection

    def accept(self, mss=1_000):
        """We connect to the peer's port 4000."""
        self.connection = self.tcp.connect(THEIRS, self.port, size=self.size)
        self.our_port = self.connection.ends[1]
        assert self.take() == [("S", 0, None, b"")]
        assert self.send("SA", seq=0, ack=1, options=[("MSS", mss)]) == 0
        assert self.take() == [("A", 1, 1, b"")]
        return self.connection
