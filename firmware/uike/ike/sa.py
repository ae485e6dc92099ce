"""An IKE SA: what both peers know of each other, and in which state they are (RFC 7296 section 2).

   IDLE -> INIT -> AUTH -> ESTABLISHED -> DELETING -> DEAD

An SA that replaces another one is ESTABLISHED from the start.
INIT: IKE_SA_INIT is under way. AUTH: there are keys, the peer is still a stranger. DELETING: the verdict has been
given; we wait for the answer to our Delete, or stay a while to answer a peer who missed our last word.
"""

from uike import event

_NEXT = (
    (event.STATE_INIT, event.STATE_AUTH, event.STATE_ESTABLISHED, event.STATE_DEAD),
    (event.STATE_AUTH, event.STATE_DEAD),
    (event.STATE_ESTABLISHED, event.STATE_DELETING, event.STATE_DEAD),
    (event.STATE_DELETING, event.STATE_DEAD),
    (event.STATE_DEAD,),
    (),
)


class Setup:
    """What only IKE_SA_INIT and IKE_AUTH need: dropped with the first Child SA."""

    def __init__(self, started):
        self.started = started  # ms
        self.nonce_i = b""
        self.nonce_r = b""
        self.request = b""  # IKE_SA_INIT as it was sent: RealMessage1 of RFC 7296 section 2.15
        self.response = b""  # RealMessage2
        self.childless = False  # IKE_AUTH makes no Child SA (RFC 6023)
        self.refusal = None  # what an unauthenticated notify said, believed only if nothing better comes


class IkeSa:
    """One IKE SA. `endpoint` lends it the clock, the random source, the crypto provider and the trace."""

    # What few SAs have, and most not for long: in the class it costs each of them nothing
    seen = None  # behind a NAT: the peer's hash of the address that it sees us at
    path = None  # where the peer is about to move, or what it has yet to be told (ike/mobike)
    auth_until = None  # ms: then the initiator authenticates anew, or the responder ends it (ike/reauth)
    replaces = None  # the SA that goes when this one is up
    redirected = None  # (gateway that sent us here, when such things happened, in ms: a list), see ike/redirect
    token = None  # what the peer shows when it has lost this SA (ike/crash)

    def __init__(self, endpoint, number, connection, initiator, local, remote, now):
        self.endpoint = endpoint
        self.number = number
        self.connection = connection
        self.initiator = initiator
        self.local = local  # (address, port)
        self.remote = remote  # (address, port)
        self.spi_i = bytes(8)
        self.spi_r = bytes(8)
        self.state = event.STATE_IDLE
        self.setup = Setup(now)
        self.peer_id = None  # (type, data) once it is proved
        self.address = None  # inner address that the configuration payload assigned, 4 bytes
        self.address6 = None  # and the IPv6 one, 16 bytes
        self.single_pair = False  # the peer takes one pair of addresses for each Child SA
        self.children = []
        self.refused = 0  # reason why the first Child SA was not made, on a responder
        self.behind_nat = self.peer_behind_nat = False
        self.mobike = False  # both sides speak it
        self.quiet = False  # no verdict is due on it: it was replaced, or may yet be of no use
        self.fresh = None  # the SA that we are replacing this one with
        self.rival = None  # (lowest nonce, SA): the peer replaced it while we were doing so
        self.rekey_at = None
        # Keys (RFC 7296 section 2.14); the ciphers hold SK_e* and SK_a*
        self.transforms = ()
        self.prf = 0
        self.sk_d = self.sk_pi = self.sk_pr = b""
        self.seal = None
        self.open = None
        self.iv = 0
        # Fragmentation (RFC 7383)
        self.fragment_size = 0  # of our IP datagrams, in bytes; 0 when it was not negotiated
        self.fragments = {}  # of a response (True) and of a request (False) -> ike/reassembly.Parts
        self.fragments_until = 0  # ms: then they are given up
        # Exchanges (ike/exchange)
        self.task = None  # our exchange, a generator
        self.waiting = []  # those that start when it has ended
        self.answering = None  # the peer's exchange, a generator, while it takes several requests
        self.send_id = 0
        self.receive_id = 0
        self.request = None  # our request, sent and unanswered: its datagrams
        self.exchange = 0  # its exchange type
        self.tries = 0
        self.retransmit_at = None
        self.last_response = None  # to the peer's last request: its datagrams
        self.expires_at = None  # when it ends by itself: half-open, worn out, or deleted and forgotten
        self.heard_at = now
        self.sent_at = now
        self.ask_at = now  # when a packet without a Child SA may make us ask for one

    def become(self, state):
        """The only way to another state; a move that the table does not have is a bug of ours."""
        if state not in _NEXT[self.state]:
            raise ValueError("IKE SA: state %d after %d" % (state, self.state))
        if self.endpoint.trace:
            self.endpoint.trace(event.STATE, self.number, bytes((self.state, state)))
        self.state = state

    def own_spi(self):
        return self.spi_i if self.initiator else self.spi_r

    def wipe(self):
        """Forgets every key. The SA can be neither read nor written afterwards."""
        for key in (self.sk_d, self.sk_pi, self.sk_pr):
            for i in range(len(key)):
                key[i] = 0
        for cipher in (self.seal, self.open):
            if cipher:
                cipher.wipe()
        self.seal = self.open = self.setup = self.task = self.answering = self.request = self.last_response = None
        self.waiting = []
        self.fragments = {}
