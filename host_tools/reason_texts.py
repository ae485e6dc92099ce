"""What each number of `uike.reason` means: (what happened, the one change that would mend it). For `reasons`."""

from host_tools import certificate_reasons
from uike import reason

_AGAIN = "nothing to do, unless it goes on: then somebody is sending this on purpose"
_FAULT = "compare the software of both sides; a trace of both, side by side, shows where they part"
_FAULT_THERE = "see what the sender is: fragments are never put together here, so let it send shorter packets"
_PEER_LOG = "the peer's log says what it did not like"

TEXTS = {
    reason.EAP_FAILED: (
        "the gateway ended EAP: it does not know the user, or the password is wrong",
        "compare eap_id and eap_password with the user that the gateway has",
    ),
    reason.EAP_METHOD_REFUSED: (
        "the gateway wants an EAP method that we do not take",
        "add it to eap_methods, or give the gateway one of those",
    ),
    reason.EAP_TLS_REFUSED: (
        "the gateway wants EAP-TLS, which we do not have",
        "use certificates without EAP: cert, key and cacerts",
    ),
    reason.EAP_SERVER_UNPROVED: (
        "the gateway does not know the password: its MS-CHAPv2 response is wrong",
        "compare eap_password with the gateway's; if they are the same, somebody stands between",
    ),
    reason.EAP_EARLY_SUCCESS: ("EAP-Success before the method had proved anything", _FAULT),
    reason.EAP_TOO_LONG: ("more rounds of EAP than we take", _PEER_LOG),
    reason.BAD_EAP: ("an EAP packet that is malformed, or has no place there", _FAULT),
    reason.EAP_KEY_DIFFERS: ("EAP gave the two sides different keys", "somebody stands between, or: " + _FAULT),
    reason.EAP_NOT_CONFIGURED: ("the gateway wants EAP", "set eap_password, or let the gateway take what we have"),
    reason.EAP_UNKNOWN_USER: (
        "EAP: nobody of that name is among the users here",
        "add the name to [connection.NAME.eap_users], or correct it on the peer",
    ),
    reason.EAP_WRONG_PASSWORD: (
        "EAP: the password of that user is another here",
        "compare the peer's password with that of [connection.NAME.eap_users]",
    ),
    reason.EAP_METHODS_REFUSED_BY_PEER: (
        "the peer takes none of the EAP methods that we offer",
        "let the peer take EAP-MSCHAPv2, or add its method to eap_methods",
    ),
    reason.NONE: ("no reason was given", _PEER_LOG),
    reason.SHORT_DATAGRAM: ("a datagram too short for an IKE header", _AGAIN),
    reason.LONG_DATAGRAM: ("a datagram longer than we accept", "lower the MTU of the peer, or its fragment size"),
    reason.LENGTH_MISMATCH: ("the IKE header's length is not the datagram's", _AGAIN),
    reason.WRONG_MAJOR_VERSION: ("not IKE version 2", "set the peer to IKEv2 (keyexchange = ikev2)"),
    reason.WRONG_PORT: ("a datagram on a port where it has no business", _AGAIN),
    reason.UNKNOWN_IKE_SPI: (
        "a message for an IKE SA that we do not have",
        "wait: the peer still uses an SA from before a restart, and will notice",
    ),
    reason.ZERO_INITIATOR_SPI: ("an IKE header without an initiator's SPI", _AGAIN),
    reason.WRONG_EXCHANGE: ("an exchange that has no place in this state of the SA", _FAULT),
    reason.WRONG_FLAGS: ("IKE header flags that contradict each other or the SA", _AGAIN),
    reason.WRONG_MESSAGE_ID: ("a message ID outside of the window", _AGAIN),
    reason.UNEXPECTED_RESPONSE: ("a response to nothing that we asked", "nothing: usually a late duplicate"),
    reason.NOT_ENCRYPTED: ("a message in the clear where it must be encrypted", _AGAIN),
    reason.BAD_ICV: ("a message that was changed on its way, or made with other keys", _AGAIN),
    reason.TOO_MANY_HALF_OPEN: (
        "too many unfinished negotiations at once",
        "wait half a minute; if it goes on, find out who is flooding us",
    ),
    reason.NO_CONNECTION: (
        "no connection is configured for this peer's address",
        "add a responder whose remote is that address or %any",
    ),
    reason.RETRANSMITTED_REQUEST: ("a request that was answered before; the answer was sent again", "nothing"),
    reason.FRAGMENT: (
        "an IKE fragment, which was not negotiated",
        "set fragmentation to the same value on both sides, and reconnect",
    ),
    reason.FRAGMENT_NUMBER: ("an IKE fragment whose number is 0 or greater than the number of fragments", _FAULT),
    reason.FRAGMENT_STALE: (
        "an IKE fragment that does not belong to those that we have of this message",
        "nothing: usually a late one, after the peer has cut the message anew",
    ),
    reason.FRAGMENT_REPEATED: ("an IKE fragment that we had before", "nothing: usually a retransmission"),
    reason.TOO_MANY_FRAGMENTS: ("more IKE fragments than we take of one message", "raise the peer's fragment size"),
    reason.FRAGMENTS_TOO_LONG: (
        "an IKE message in fragments that is longer than we take",
        "make it shorter: fewer or smaller certificates, fewer proposals",
    ),
    reason.FRAGMENTS_HELD: (
        "no room for the IKE fragments of one more peer",
        "nothing: the peer will send them again; if it goes on, find out who sends messages by halves",
    ),
    reason.FRAGMENTS_TIMEOUT: (
        "some IKE fragments of a message never came",
        "lower the peer's fragment size: its datagrams may be too long for a path",
    ),
    reason.UNAUTHENTICATED_NOTIFY: ("an error message that anybody could have sent", _AGAIN),
    reason.NO_MEMORY: ("the board ran out of memory", "fewer connections, or a board with more memory"),
    reason.BUSY: ("the board was busy with another exchange of this SA", "nothing: the peer will ask again"),
    reason.PAYLOAD_LENGTH: ("a payload's length does not fit its message", _FAULT),
    reason.PAYLOAD_MISSING: ("a payload that this message must have is missing", _FAULT),
    reason.PAYLOAD_REPEATED: ("a payload came twice that may come once", _FAULT),
    reason.UNKNOWN_CRITICAL_PAYLOAD: (
        "a critical payload of a type that we do not know",
        "switch off on the peer the extension that sends it",
    ),
    reason.TOO_MANY_PAYLOADS: ("more payloads than we take in one message", "offer less on the peer: fewer notifies"),
    reason.BAD_SA_PAYLOAD: ("an SA payload that is malformed", _FAULT),
    reason.BAD_KE_PAYLOAD: ("a KE payload that is malformed, or of another group than was agreed", _FAULT),
    reason.BAD_NONCE: ("a nonce that is not 16 to 256 bytes", _FAULT),
    reason.BAD_ID_PAYLOAD: ("an ID payload that is malformed", _FAULT),
    reason.BAD_AUTH_PAYLOAD: ("an AUTH payload that is malformed", _FAULT),
    reason.BAD_TS_PAYLOAD: ("a traffic selector payload that is malformed", _FAULT),
    reason.BAD_CP_PAYLOAD: ("a configuration payload that is malformed", _FAULT),
    reason.BAD_NOTIFY_PAYLOAD: ("a notify payload that is malformed", _FAULT),
    reason.BAD_DELETE_PAYLOAD: ("a delete payload that is malformed", _FAULT),
    reason.BAD_PADDING: ("an encrypted payload with impossible padding", _FAULT),
    reason.ESP_SHORT: ("an ESP packet too short to be one", _AGAIN),
    reason.ESP_UNKNOWN_SPI: (
        "an ESP packet for a Child SA that we do not have",
        "wait: the peer still uses an SA from before a restart, and will notice",
    ),
    reason.ESP_REPLAY: ("an ESP packet seen before, or too old", "nothing, unless it goes on: a replay is refused"),
    reason.ESP_BAD_ICV: ("an ESP packet that was changed on its way", _AGAIN),
    reason.ESP_BAD_PADDING: ("an ESP packet with wrong padding", _FAULT),
    reason.ESP_NEXT_HEADER: (
        "an ESP packet that carries no IP packet",
        "use tunnel mode (mode = tunnel)",
    ),
    reason.ESP_SELECTORS: (
        "an inner packet outside of the traffic selectors",
        "compare local_ts and remote_ts of both sides with the addresses in use",
    ),
    reason.ESP_INNER_PACKET: ("an inner packet that is no sound IP packet", "send IPv4 or IPv6 into the tunnel"),
    reason.ESP_NO_SA: (
        "an inner packet to where no tunnel leads",
        "add its destination to remote_ts, or send less into the tunnel",
    ),
    reason.ESP_SEQUENCE_EXHAUSTED: ("the Child SA has used up its sequence numbers", "reconnect: close, then connect"),
    reason.ESP_DUMMY: ("a dummy packet, sent to hide traffic", "nothing"),
    reason.NO_ANSWER: (
        "the peer does not answer",
        "check remote, and that UDP 500 and 4500 get through; a gateway that has no connection for us is silent",
    ),
    reason.PEER_SAID_NO_PROPOSAL: (
        "the peer accepts none of our IKE proposals",
        "add to proposals one that the peer has (strongSwan: proposals of its connection)",
    ),
    reason.NO_COMMON_PROPOSAL: (
        "none of the peer's IKE proposals is in ours",
        "add one of those that the peer offers, shown above, to proposals",
    ),
    reason.PEER_CHOSE_UNOFFERED: ("the peer chose what we did not offer", _FAULT),
    reason.GROUP_REFUSED: (
        "the peer wants a key exchange group that we do not offer",
        "add the group that it names to proposals",
    ),
    reason.BAD_PUBLIC_VALUE: ("the peer's public value is not one of its group: broken, or an attack", _FAULT),
    reason.PEER_SAID_AUTH_FAILED: (
        "the peer did not accept us",
        "compare psk, and local_id here with what the peer expects; its log says which of them it was",
    ),
    reason.UNKNOWN_PEER_ID: (
        "no connection is for the identity that the peer gave",
        "set remote_id to that identity, shown above, or correct it on the peer",
    ),
    reason.WRONG_PEER_ID: (
        "the peer is another one than the one we want",
        "set remote_id to the identity that the peer gives, shown above, if that is the peer you meant",
    ),
    reason.PSK_DIFFERS: ("the peer proved itself with another pre-shared key", "set the same psk on both sides"),
    reason.AUTH_METHOD_REFUSED: (
        "the peer authenticates with another method than a pre-shared key",
        "set the peer to a pre-shared key (strongSwan: auth = psk, local and remote)",
    ),
    reason.NO_COMMON_ESP_PROPOSAL: (
        "none of the peer's ESP proposals is in ours",
        "add one of those that the peer offers, shown above, to esp_proposals",
    ),
    reason.PEER_SAID_NO_ESP_PROPOSAL: (
        "the peer accepts none of our ESP proposals",
        "add to esp_proposals one that the peer has (strongSwan: esp_proposals of its child)",
    ),
    reason.TS_REFUSED_BY_PEER: (
        "the peer refuses our traffic selectors",
        "make remote_ts overlap the peer's local_ts, and local_ts (or the virtual IP) its remote_ts",
    ),
    reason.TS_REFUSED: (
        "the peer's traffic selectors have nothing in common with ours",
        "make local_ts overlap the peer's remote_ts, and remote_ts (or pool) its local_ts",
    ),
    reason.TS_WIDENED_BY_PEER: ("the peer answered with traffic selectors that we did not offer", _FAULT),
    reason.NO_ADDRESS_ASSIGNED: (
        "the peer assigned no virtual IP",
        "give the peer an address pool (strongSwan: pools), or set virtual_ip = false and local_ts",
    ),
    reason.POOL_EXHAUSTED: ("the address pool is used up", "make pool larger"),
    reason.SINGLE_PAIR_WANTED: (
        "the peer takes only one pair of addresses in a Child SA",
        "nothing: one is asked for with the first packet to each address",
    ),
    reason.ADDRESS_NOT_ASKED: (
        "the client asked for no virtual IP",
        "let it ask for one (virtual_ip = true), or set require_cp = false",
    ),
    reason.NET_PACKET: ("a packet of the tunnel for this board, malformed or in fragments", _FAULT_THERE),
    reason.NET_NOBODY: (
        "a packet of the tunnel for a port that nobody on this board has, or for a connection that there is not",
        "nothing, if the board was restarted; else see which port the peer asks for",
    ),
    reason.NET_UNREACHABLE: (
        "no tunnel leads to that address",
        "wait until it is up; else compare the target with remote_ts of the connection",
    ),
    reason.TCP_SEQUENCE: ("a TCP segment outside of the window", "nothing: such is the daily life of TCP"),
    reason.TCP_CHALLENGED: (
        "a TCP segment that would end a connection, or acknowledges what was never sent, and may be forged",
        "nothing: the peer was asked whether it means that",
    ),
    reason.TCP_RESET: (
        "the other end reset the connection, or refused it",
        "see whether its service runs",
    ),
    reason.TCP_TIMEOUT: (
        "the other end of the connection does not answer",
        "check the way behind the gateway, and its route back to our address in the tunnel",
    ),
    reason.NET_FULL: (
        "more connections or datagrams than this board keeps",
        "wait for others to end; a relay's own limit is its `connections`",
    ),
    reason.RELAY_BROKEN: (
        "a relay's end in the local network failed",
        "see whether that device is there, and its service runs",
    ),
    reason.PEER_SAID_ADDRESS_FAILURE: ("the peer could not assign a virtual IP", "make the peer's address pool larger"),
    reason.PEER_ERROR: ("the peer refused with an error of its own", _PEER_LOG),
    reason.DELETED_BY_PEER: ("the peer closed the SA", _PEER_LOG),
    reason.DELETED_BY_US: ("we closed the SA", "nothing"),
    reason.PEER_DEAD: ("the peer stopped answering", "check the network and the peer; connect again when it is back"),
    reason.HALF_OPEN_TIMEOUT: (
        "the peer began a negotiation and did not go on",
        "check that UDP 4500 gets through as UDP 500 does: the second exchange goes there",
    ),
    reason.REPLACED: ("the peer connected anew and forgot this SA", "nothing"),
    reason.COOKIE_LOOP: ("the peer asks for a cookie again and again", _FAULT),
    reason.MESSAGE_IDS_EXHAUSTED: ("the SA has used up its message IDs", "reconnect: close, then connect"),
    reason.NAT_T_UNSUPPORTED: (
        "the peer does not speak NAT traversal, which we need: our ESP is always in UDP",
        "switch NAT traversal on in the peer (strongSwan does it by itself; Cisco: crypto ikev2 nat keepalive)",
    ),
    reason.SYNTAX_ERROR: ("the peer found our message malformed", _FAULT),
    reason.REKEYED: ("it was replaced by a fresh one", "nothing"),
    reason.EXPIRED: (
        "it reached the end of its life without being replaced",
        "see above why the rekeying was refused; a longer rekey_time only puts it off",
    ),
    reason.REKEY_COLLISION: ("both sides changed the same SA at once", "nothing: the peer will ask again"),
    reason.PEER_SAID_LATER: ("the peer is busy with another exchange", "nothing: we ask again in a few seconds"),
    reason.PEER_SAID_NO_MORE_CHILDREN: (
        "the peer takes no further Child SA",
        "put the traffic into the first one: fewer [connection.NAME.child] tables",
    ),
    reason.CHILD_NOT_FOUND: ("a Child SA that is to be replaced does not exist any more", "nothing: it is made anew"),
    reason.TOO_MANY_CHILDREN: ("more Child SAs than this board keeps", "ask for fewer on the peer"),
    reason.LOCAL_ERROR: ("a fault in the firmware", "please report it with the trace"),
    reason.SELF_TEST_FAILED: (
        "a primitive gave a wrong answer to the power-on test",
        "switch the board off and on; if it goes on, write the image anew, or replace the board",
    ),
    reason.NO_ENTROPY: (
        "the board's entropy source gives nothing",
        "switch the radio on before the appliance starts: it feeds the generator",
    ),
    reason.ENTROPY_FAILED: (
        "the board's entropy source repeats itself",
        "switch the board off and on; if it goes on, replace it: its generator is broken",
    ),
    reason.SEED_MISSING: ("no seed of an earlier boot in the store", "nothing, if this is the first boot"),
    reason.SEED_SHORT: (
        "the seed in the store is too short",
        "nothing: it is replaced; the power went while it was written",
    ),
    reason.SEED_UNREADABLE: ("the seed in the store cannot be read", "check the file system of the board"),
    reason.SEED_NOT_KEPT: (
        "no new seed could be put into the store, so the next boot finds the old one",
        "make room in the store, or check the file system of the board",
    ),
    reason.SECRET_NOT_KEPT: (
        "the secret of crash detection is not in the store, and could not be put there",
        "make room in the store, or check its file system; until then a restart is noticed by silence alone",
    ),
    reason.ADMIN_PROOF_WANTED: (
        "this board has an admin secret, and the command came without a proof of it",
        "give the secret with --admin, or UIKE_ADMIN",
    ),
    reason.ADMIN_PROOF_WRONG: (
        "the admin secret is wrong",
        "give the one of the [admin] table that this board was provisioned with",
    ),
    reason.ADMIN_PAUSE: ("too many wrong admin secrets", "wait for the pause to end, then try the right one"),
    reason.ADMIN_LOCKED: (
        "the board takes no more admin secrets",
        "erase it and begin anew: uike flash BOARD --erase",
    ),
    reason.COOKIE_WANTED: (
        "a negotiation was begun without a valid cookie while many are unfinished; the peer was given one",
        "nothing: the peer comes back with it; if it does not, its address is forged",
    ),
    reason.HALF_OPEN_OF_ADDRESS: (
        "too many unfinished negotiations with one address",
        "wait half a minute; if it goes on, see why that peer never finishes",
    ),
    reason.PPK_NOT_OFFERED: (
        "the peer does not say that it has a PPK",
        "configure ppk_id and ppk there too (strongSwan: ppk_id), or do without: ppk_required = false",
    ),
    reason.PPK_ID_UNKNOWN: (
        "the peer names a PPK that this connection does not have",
        "set ppk_id to the same name on both sides",
    ),
    reason.PPK_NOT_USED: (
        "the peer does without the PPK",
        "set ppk_id and ppk to the same on both sides; strongSwan: a secret ppk with that id, and ppk_required",
    ),
    reason.PPK_DIFFERS: ("the peer has another PPK of that name", "set ppk to the same bytes on both sides"),
    reason.PPK_OR_KEY_DIFFERS: (
        "the peer's proof, made with its key and the PPK together, is wrong",
        "compare ppk on both sides, then psk, or the peer's private key with its certificate",
    ),
    reason.PEER_REFUSED_PPK: (
        "the peer did not accept us; the proof was made with the PPK",
        "compare ppk_id and ppk, then psk and local_id, with what the peer has; its log says which of them it was",
    ),
    reason.NO_PSK_FOR_PEER: (
        "no psk is configured for the identity that the peer gave",
        "add it to [connection.NAME.psks], or correct it on the peer",
    ),
    reason.TOO_MANY_SAS: ("more IKE SAs than this board keeps", "close those that are not needed"),
    reason.BAD_COOKIE2: ("the peer answered the test of its new address without our cookie", _FAULT),
    reason.ADDRESS_REFUSED: (
        "the peer moved to an address that this connection does not allow",
        'set remote = "%any", or the address that it moves to',
    ),
    reason.NAT_REFUSED: (
        "the peer wants no NAT on the way, and there is one",
        "let the peer allow NATs, or connect it without one",
    ),
    reason.PEER_REFUSED_ADDRESS: (
        "the peer does not accept our new address",
        "nothing: a new IKE SA is negotiated from there; if that fails, see the peer's remote address",
    ),
    reason.PATH_UNPROVED: (
        "the peer did not answer from the address that it said it had moved to",
        "nothing: what it is sent goes on to its old address",
    ),
    reason.NOT_REAUTHENTICATED: (
        "the peer did not prove itself again in time",
        "let the peer authenticate anew more often (strongSwan: reauth_time), or raise auth_lifetime",
    ),
    reason.PEER_SAID_INVALID_SELECTORS: (
        "the peer got a packet of ours that its traffic selectors forbid",
        "compare local_ts and remote_ts of both sides with the addresses in use",
    ),
    reason.PEER_SAID_INVALID_SPI: (
        "the peer got an ESP packet of ours for a Child SA that it does not have",
        "nothing, if a Child SA was just replaced or deleted; else reconnect: close, then connect",
    ),
    reason.REDIRECTED: ("the gateway sent us to another one", "nothing: the connection is negotiated there"),
    reason.SENT_AWAY: ("the peer was sent to another gateway", "nothing, or take redirect_to away"),
    reason.REDIRECT_REFUSED: (
        "the peer would send us to where we do not go",
        "set redirect = true, if that is wanted; only an IPv4 address is followed, and in IKE_SA_INIT with our nonce",
    ),
    reason.REDIRECTED_TOO_OFTEN: (
        "the gateways send us on and on",
        "correct the gateways: they may send us in a circle",
    ),
    reason.PEER_RESTARTED: (
        "the peer has restarted, and proved that it had this SA before",
        "connect again; find out why it restarted",
    ),
    reason.PEER_SAID_INVALID_MESSAGE_ID: ("the peer got a message ID of ours outside of its window", _FAULT),
    reason.NAME_UNRESOLVED: (
        "the gateway's name has no address, or there is no network to it",
        "check remote, and the name server that the network gives to the board",
    ),
    reason.APPLICATION_FAILED: (
        "the application fell over",
        "report what it says; three such boots lead to safe mode, where the configuration can be changed",
    ),
    reason.WATCHDOG: (
        "the board did nothing for a minute, and its watchdog reset it",
        "report what the trace said before it",
    ),
    reason.NO_TUNNEL: (
        "for hours there was no tunnel or no network, and a restart was the last thing to try",
        "the trace of the attempts says what stands in the way",
    ),
    reason.UPDATE_ROLLED_BACK: (
        "a new version did not prove itself in two boots, and was given up for the one before",
        "see what its boots said; it must reach a tunnel, or answer the console, within ten minutes",
    ),
    reason.RESTART_ASKED: ("it was told to restart", "nothing"),
    reason.UPDATE_UNHEALTHY: (
        "a new version had neither a tunnel nor a command in ten minutes, and restarts",
        "nothing: it has one more boot, and then the version before it is back",
    ),
    **certificate_reasons.TEXTS,
}
