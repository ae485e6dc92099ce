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

    nonce_i = nonce_r = b""
    request = b""  # IKE_SA_INIT as it was sent: RealMessage1 of RFC 7296 section 2.15
    response = b""  # RealMessage2
    hashes = b""  # what the peer takes signatures of, two bytes each (RFC 7427)
    psk = b""  # that of the peer, where a connection has several
    ppk = False  # both sides may mix one into the keys (RFC 8784)
    childless = False  # IKE_AUTH makes no Child SA (RFC 6023)
    refusal = None  # what an unauthenticated notify said, believed only if nothing better comes

    def __init__(self, started):
        self.started = started  # ms


class IkeSa:
    """One IKE SA. `endpoint` lends it the clock, the random source, the crypto provider and the trace."""

    # What holds until something happens: in the class, where it costs memory once
    state = event.STATE_IDLE
    peer_id = None  # (type, data) once it is proved
    address = None  # inner address that the configuration payload assigned, 4 bytes
    address6 = None  # and the IPv6 one, 16 bytes
    single_pair = False  # the peer takes one pair of addresses for each Child SA
    refused = 0  # reason why the first Child SA was not made, on a responder
    behind_nat = peer_behind_nat = False
    seen = None  # behind a NAT: the peer's hash of the address that it sees us at
    mobike = False  # both sides speak it
    path = None  # where the peer is about to move, or what it has yet to be told (ike/mobike)
    quiet = False  # no verdict is due on it: it was replaced, or may yet be of no use
    fresh = None  # the SA that we are replacing this one with
    rival = None  # (lowest nonce, SA): the peer replaced it while we were doing so
    replaces = None  # the SA that goes when this one is up
    redirected = None  # (gateway that sent us here, when such things happened, in ms: a list), see ike/redirect
    token = None  # what the peer shows when it has lost this SA (ike/crash)
    rekey_at = None
    auth_until = None  # ms: then the initiator authenticates anew, or the responder ends it (ike/reauth)
    expires_at = None  # when it ends by itself: half-open, worn out, or deleted and forgotten
    # Keys (RFC 7296 section 2.14); the ciphers hold SK_e* and SK_a*
    transforms = ()
    prf = 0
    sk_d = sk_pi = sk_pr = b""
    seal = open = None
    iv = 0
    # Fragmentation (RFC 7383)
    fragment_size = 0  # of our IP datagrams, in bytes; 0 when it was not negotiated
    fragments_until = 0  # ms: then those in `fragments` are given up
    # Exchanges (ike/exchange)
    task = None  # our exchange, a generator
    secret = None  # its key exchange, for as long as that holds a private value
    answering = None  # the peer's exchange, a generator, while it takes several requests
    send_id = receive_id = 0
    request = None  # our request, sent and unanswered: its datagrams
    exchange = 0  # its exchange type
    tries = 0
    retransmit_at = None
    last_response = None  # to the peer's last request: its datagrams

    def __init__(self, endpoint, number, connection, initiator, local, remote, now):
        self.endpoint = endpoint
        self.number = number
        self.connection = connection
        self.initiator = initiator
        self.local = local  # (address, port)
        self.remote = remote  # (address, port)
        self.spi_i = self.spi_r = bytes(8)
        self.setup = Setup(now)
        self.children = []
        self.fragments = {}  # of a response (True) and of a request (False) -> ike/reassembly.Parts
        self.waiting = []  # exchanges that start when `task` has ended
        self.heard_at = self.sent_at = now
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
        for keeper in (self.seal, self.open, self.secret):
            if keeper:
                keeper.wipe()
        self.seal = self.open = self.setup = self.task = self.answering = self.request = self.last_response = None
        self.secret = None
        self.waiting = []
        self.fragments = {}
