"""A connection: what the configuration says of one peer, in the form that the engine reads. Made by `uike.config`."""


class Policy:
    """Traffic for one more Child SA of a connection, beside the one that comes with IKE_AUTH."""

    def __init__(self, name):
        self.name = name
        self.esp_proposals = ()  # tuples of transforms (type, id, key bits)
        self.local_ts = ()  # selectors in wire form, see wire/selectors
        self.remote_ts = ()
        self.transport = False


class Connection:
    """Itself the first policy. Read-only after loading.

    Times are in milliseconds, 0 meaning never; identities are (ID type, bytes) or None."""

    def __init__(self, name):
        self.name = name
        self.initiator = False
        self.local = "0.0.0.0"
        self.remote = "%any"  # IPv4 address or host name; %any for a responder
        self.local_id = None
        self.remote_id = None  # None: any
        self.psk = bytearray()
        self.proposals = ()  # tuples of transforms (type, id, key bits)
        self.esp_proposals = ()
        self.virtual_ip = False  # an initiator asks for an inner address
        self.pool = None  # a responder hands them out: (first, last, netmask), four bytes each
        self.pool6 = None  # (first, last, prefix length as a byte), sixteen bytes each
        self.require_cp = False  # and refuses a client that asks for none
        self.childless = False  # an initiator makes its first Child SA with the first packet (RFC 6023)
        self.redirect = False  # an initiator follows to another gateway (RFC 5685)
        self.redirect_to = None  # a responder sends its peers there: an IPv4 address, four bytes
        self.dns = ()  # addresses of 4 or 16 bytes
        self.domains = ()  # names that those servers resolve
        self.local_ts = ()  # selectors in wire form, see wire/selectors
        self.remote_ts = ()
        self.transport = False  # transport mode, if the peer wants it too
        self.dpd_delay_ms = 30_000
        self.nat_keepalive_ms = 20_000
        self.retransmit_ms = 1_000
        self.retransmit_tries = 6
        self.fragmentation = True  # of IKE messages, RFC 7383
        self.fragment_size = 1280  # bytes of a whole IPv4 datagram
        self.rekey_ms = 14_400_000  # of the IKE SA; its end comes a tenth later, here as below
        self.esp_rekey_ms = 3_600_000  # of a Child SA
        self.esp_rekey_packets = 1 << 31
        self.esp_rekey_bytes = 0
        self.cookie_threshold = 3  # half-open SAs, above which a responder asks for a cookie
        self.crash_detection = False  # tokens tell a restarted peer from an attacker (RFC 6290)
        self.mobike = True  # an initiator may change its address, RFC 4555
        self.reauth_ms = 0  # of an initiator: it proves itself anew that often
        self.auth_lifetime_ms = 0  # of a responder: its peers have to, RFC 4478
        self.more = ()  # further policies

    def policies(self):
        """All of them, the first one first."""
        return (self,) + tuple(self.more)
