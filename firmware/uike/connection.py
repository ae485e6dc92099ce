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

    Times are in milliseconds, 0 meaning never; identities are (ID type, bytes) or None. What the file does not say
    stays in the class, where it costs memory once."""

    initiator = False
    local = "0.0.0.0"
    remote = "%any"  # IPv4 address or host name, or a tuple of gateways; %any for a responder
    local_id = None
    remote_id = None  # None: any
    cert = ()  # certificates that we show, DER, our own first, or a public key; without any the psk proves who we are
    key = b""  # its private key, DER; b"device": key and certificates are those in the store, see pki/device
    cacerts = ()  # trust anchors, DER, or the peer's public key; without any the peer proves itself by the psk
    psks = ()  # of a responder: (peer's identity or None, secret); else `psk` is for all
    ppk = b""  # mixed into the keys of each IKE SA (RFC 8784)
    ppk_id = b""  # its name, for the peer
    ppk_required = False  # and without it there is none
    crls = ()  # revocation lists, DER
    revocation = 1  # what is asked of them, see pki/path
    eap_password = b""  # with one an initiator proves itself by EAP; eap_id and eap_methods are beside it
    eap_only = False  # and so does its gateway (RFC 5998)
    require_time = True  # a peer's certificate is good only if we know what time it is
    proposals = ()  # tuples of transforms (type, id, key bits)
    esp_proposals = ()
    virtual_ip = False  # an initiator asks for an inner address
    pool = None  # a responder hands them out: (first, last, netmask), four bytes each
    pool6 = None  # (first, last, prefix length as a byte), sixteen bytes each
    require_cp = False  # and refuses a client that asks for none
    childless = False  # an initiator makes its first Child SA with the first packet (RFC 6023)
    redirect = False  # an initiator follows to another gateway (RFC 5685)
    redirect_to = None  # a responder sends its peers there: an IPv4 address, four bytes
    dns = ()  # addresses of 4 or 16 bytes
    domains = ()  # names that those servers resolve
    local_ts = ()  # selectors in wire form, see wire/selectors
    remote_ts = ()
    transport = False  # transport mode, if the peer wants it too
    dpd_delay_ms = 30_000
    nat_keepalive_ms = 20_000
    retransmit_ms = 1_000
    retransmit_tries = 6
    reconnect_ms = 60_000  # of an initiator: the longest pause between two attempts
    fragmentation = True  # of IKE messages, RFC 7383
    fragment_size = 1280  # bytes of a whole IPv4 datagram
    rekey_ms = 14_400_000  # of the IKE SA; its end comes a tenth later, here as below
    esp_rekey_ms = 3_600_000  # of a Child SA
    esp_rekey_packets = 1 << 31
    esp_rekey_bytes = 0
    cookie_threshold = 3  # half-open SAs, above which a responder asks for a cookie
    crash_detection = False  # tokens tell a restarted peer from an attacker (RFC 6290)
    mobike = True  # an initiator may change its address, RFC 4555
    reauth_ms = 0  # of an initiator: it proves itself anew that often
    auth_lifetime_ms = 0  # of a responder: its peers have to, RFC 4478
    more = ()  # further policies

    def __init__(self, name):
        self.name = name
        self.psk = bytearray()

    def policies(self):
        """All of them, the first one first."""
        return (self,) + tuple(self.more)
