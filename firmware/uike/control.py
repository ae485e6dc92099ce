"""What the appliance asks of the engine now and then: to begin, to end, to move. For the endpoint; then dropped."""

from uike import event, lifetime, reason
from uike.ike import exchange
from uike.ipsec.policy import allows, upper
from uike.transient import load
from uike.wire.refusal import Refusal

_NOTHING_MS = 200  # until a packet is looked at again, when there was nothing to ask for
_ANYWHERE = (  # selectors, see ipsec/policy
    b"\x07\0\0\x10\0\0\xff\xff" + bytes(4) + b"\xff" * 4,
    b"\x08\0\0\x28\0\0\xff\xff" + bytes(16) + b"\xff" * 16,
)


def connect(endpoint, connection, local, remote):
    """Starts an IKE SA as initiator; `local` and `remote` are (address, port)."""
    sa = endpoint.new_sa(connection, True, local, remote)
    sa.spi_i = endpoint.new_ike_spi()
    endpoint.sas.append(sa)
    endpoint.guard(sa, _begin, sa)


def _begin(sa):
    load("uike.ike.init").begin(sa)


def close(endpoint, name):
    """Deletes the SAs of the connection `name`, of all connections when it is None."""
    for sa in list(endpoint.sas):
        if (name is None or sa.connection.name == name) and sa.state != event.STATE_DELETING:
            tell = sa.state == event.STATE_ESTABLISHED
            endpoint.guard(sa, endpoint.end, sa, Refusal(reason.DELETED_BY_US), None, tell)


def close_children(endpoint):
    """Deletes every Child SA; the IKE SAs stay."""
    for sa in endpoint.sas:
        endpoint.guard(sa, load("uike.ike.info").close_children, sa)


def address_changed(endpoint, local):
    """The SAs of our initiator connections go to our new address (`ike/mobike`)."""
    load("uike.ike.mobike").leave(endpoint, local)


def policy_for(endpoint, packet, size):
    """(IKE SA, policy) that would make a Child SA for a packet which none takes; None when there is none."""
    for sa in endpoint.sas:
        if sa.state == event.STATE_ESTABLISHED and not sa.quiet:
            for policy in sa.connection.policies():
                if allows(packet, 0, size, policy.local_ts or _ANYWHERE, policy.remote_ts):
                    return sa, policy
    return None


def ask_for_child(endpoint, packet, size):
    """A packet that no Child SA takes may be one for which the configuration knows one (RFC 7296 section 2.9)."""
    found = policy_for(endpoint, packet, size)
    if not found:
        endpoint.ask_at = endpoint.now + _NOTHING_MS
    elif not found[0].task and endpoint.now >= found[0].ask_at:
        sa, policy = found
        sa.ask_at = endpoint.now + lifetime.RETRY_MS
        endpoint.guard(sa, _create_child, sa, policy, bytes(packet[:size]))


def _create_child(sa, policy, packet):
    task = load("uike.ike.create").new_child(sa, policy, packet, upper(packet, 0, len(packet)))
    exchange.start(sa, task, sa.endpoint.now)
