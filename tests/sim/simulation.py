"""A world from a seed: a gateway and one to five boards, a bad network, hours of life in a second.

For a while everything goes wrong that can: the network, the clocks, the power, the heap. Then the network is healed,
and what must be true is checked: both ends agree on what exists and traffic flows; once every SA is closed nothing is
left of them. What must hold all the time (nothing in the clear, no packet twice, no IV twice, no error of ours, no
exception) ends the run on the spot.
"""

import heapq
import random
import traceback

from tests import world
from tests.sim.network import Faults, Network
from tests.sim.node import Node, Violation, packet
from uike import event, reason
from uike.ike import exchange, info

GATEWAY = world.GATEWAY
STORM_MS = 150_000
CALM_MS = 240_000  # for liveness to find the dead, and for everything to be made anew
CLOSE_MS = 120_000
_SPIN_MAX = 50
BASES = (0, (1 << 30) - 60_000, (1 << 31) - 60_000, (1 << 32) + 7, 1 << 40)
SUITES = ((world.CBC, world.ESP_CBC), (world.GCM, world.ESP_GCM), (world.CHACHA, world.ESP_CHACHA))


class Simulation:
    """One run. Everything in it follows from `seed`."""

    def __init__(self, seed):
        self.seed = seed
        self.draw = random.Random(seed)
        self.time = 0
        self.events = []  # heap of (time, number, function)
        self.numbered = 0
        self.sealed = set()
        self.packets = {}  # serial -> [bytes, name of the sender, arrived]
        self.network = Network(repr((seed, "network")), self.schedule, self.deliver)
        self.stormy = True
        self.closing = False
        self.faults = Faults.drawn(self.draw)
        self.nodes = self._nodes()
        self.gateway, self.boards = self.nodes[0], self.nodes[1:]

    def _nodes(self):
        draw = self.draw
        ike, esp = draw.choice(SUITES)
        common = {
            "proposals": (ike,),
            "esp_proposals": (esp + ((4, 31, 0),) if draw.random() < 0.3 else esp,),
            "fragment_size": draw.choice((200, 576, 1280)),
            "fragmentation": draw.random() < 0.7,
            "dpd_delay_ms": 10_000,
            "retransmit_ms": 500,
        }
        nodes = []
        for number in range(1 + draw.choice((1, 1, 1, 2, 2, 3, 5))):
            lives = {
                "rekey_ms": draw.choice((0, 0, 40_000, 90_000)),
                "esp_rekey_ms": draw.choice((0, 15_000, 15_000, 50_000)),
                "esp_rekey_packets": draw.choice((0, 0, 20)),
            }
            identity = {"remote_id": None} if number == 0 else {"local_id": (2, b"board-%d" % number)}
            connection = world.connection(number > 0, **{**common, **lives, **identity})
            address = (
                GATEWAY if number == 0 else f"10.0.0.{number}" if draw.random() < 0.6 else f"192.0.2.{10 + number}"
            )
            name = "gateway" if number == 0 else f"board-{number}"
            node = Node(name, address, connection, self.seed, self.sealed, draw.choice(BASES))
            self.network.join(node, address.startswith("10."))
            nodes.append(node)
        return nodes

    # -- time --------------------------------------------------------------------------------------------------------

    def schedule(self, delay_ms, function):
        self.numbered += 1
        heapq.heappush(self.events, (self.time + delay_ms, self.numbered, function))

    def run(self):
        """The whole run; raises Violation, or whatever came out of an engine."""
        self.network.faults = self.faults
        for node in self.nodes:
            self.schedule(0, lambda node=node: self._second(node))
        self.advance(STORM_MS)
        self.stormy = False
        self.network.faults = Faults()
        for node in self.nodes:
            node.heap.odds = 0.0
        self.advance(CALM_MS)
        self.until_agreed()
        self.closing = True
        for node in self.boards:
            node.endpoint.close(None, node.now(self.time))
            self.flush(node)
        self.advance(CLOSE_MS)
        self.nothing_left()

    def advance(self, ms):
        end = self.time + ms
        spin = (0, 0)
        while True:
            due = [(node.endpoint.next_deadline(), node) for node in self.nodes]
            due = [(at - node.offset, number) for number, (at, node) in enumerate(due) if at is not None]
            first = min(due, default=(end + 1, 0))
            queued = self.events[0][0] if self.events else end + 1
            at = max(self.time, min(first[0], queued))
            if at > end:
                break
            spin = (at, spin[1] + 1 if spin[0] == at and first[0] <= at < queued else 0)
            if spin[1] > _SPIN_MAX:
                raise Violation(f"{self.nodes[first[1]].name} asks for a tick again and again")
            self.time = at
            if first[0] <= queued:
                node = self.nodes[first[1]]
                node.endpoint.tick(node.now(at))
                self.flush(node)
            else:
                heapq.heappop(self.events)[2]()
        self.time = end

    def deliver(self, node, datagram, source, port):
        node.endpoint.receive(datagram, (node.address, port), source, node.now(self.time))
        self.flush(node)

    def flush(self, node):
        """What an application does after each step: sends what is to be sent, takes what has come."""
        for datagram, remote, port in node.endpoint.outgoing():
            self.network.send(node, bytes(datagram), remote, port)
        for kind, subject, _ in node.endpoint.events():
            if kind == event.PACKET:
                self._arrived(node, bytes(subject))
        if node.errors:
            raise Violation(f"an error of ours: {node.errors}")

    def _arrived(self, node, data):
        record = self.packets.get(int.from_bytes(data[-8:], "big"))
        if record is None or record[0] != data or record[1] == node.name:
            raise Violation(f"{node.name} took a packet that nobody sent")
        if record[2]:
            raise Violation(f"{node.name} took a packet twice")
        record[2] = True

    # -- what happens in a second --------------------------------------------------------------------------------------

    def _second(self, node):
        if not self.closing:
            self.schedule(1_000, lambda: self._second(node))
            if node is not self.gateway:
                node.supervise(self.time, GATEWAY)
                self.flush(node)
            for source, destination in list(node.destinations()):
                self.send(node, source, destination)
            if node is not self.gateway and not node.endpoint.sad.outbound and node.established():
                self.send(node, node.established()[0].address, bytes((10, 1, 0, 1)))
        if self.stormy:
            self._strike(node)

    def send(self, node, source, destination):
        """Sends a packet through the tunnel; returns its serial."""
        serial = len(self.packets) + 1
        data = packet(source, destination, serial)
        self.packets[serial] = [bytes(data), node.name, False]
        node.endpoint.send_packet(data, node.now(self.time))
        self.flush(node)
        return serial

    def _strike(self, node):
        faults, draw = self.faults, self.draw
        gate = self.network.gates[node]
        if draw.random() < faults.rebind + faults.forget:
            gate.forget()
        if draw.random() < faults.reboot:
            node.boot()
        if draw.random() < faults.jump:
            node.offset += draw.choice((1_000, 20_000, 200_000))
        node.heap.odds = draw.choice((0.01, 0.1, 0.5)) if draw.random() < faults.starve else 0.0
        if draw.random() < faults.delete:
            self._delete(node)

    def _delete(self, node):
        endpoint, now = node.endpoint, node.now(self.time)
        if self.draw.random() < 0.3:
            endpoint.close(None, now)
        else:
            for sa in node.established():
                for child in sa.children[:1]:
                    endpoint.guard(sa, exchange.start, sa, info.delete_child(sa, child, reason.DELETED_BY_US), now)
        self.flush(node)

    # -- what must be true in the end ----------------------------------------------------------------------------------

    def until_agreed(self):
        """Rekeying goes on, so it is asked for a moment in which both ends have the same and traffic flows."""
        for _ in range(60):
            if all(self._works(board) for board in self.boards):
                return
            self.advance(1_000)
        what = [(board.name, board.holds(), self.gateway.holds(board.connection.local_id[1])) for board in self.boards]
        raise Violation(f"no agreement on what exists, or no traffic: {what}")

    def _works(self, board):
        ours, theirs = board.holds(), self.gateway.holds(board.connection.local_id[1])
        if ours != theirs or len(ours[0]) != 1 or not ours[1]:
            return False
        inner, outer = board.established()[0].address, bytes((10, 1, 0, 1))
        serials = self.send(board, inner, outer), self.send(self.gateway, outer, inner)
        self.advance(100)
        return all(self.packets[serial][2] for serial in serials)

    def nothing_left(self):
        for node in self.nodes:
            endpoint = node.endpoint
            in_use = [lease for lease in endpoint.leases if lease[2]]  # others wait for their client to come back
            left = endpoint.sas, endpoint.sad.inbound, endpoint.sad.outbound, in_use
            if any(left):
                states = [(sa.number, sa.state, sa.quiet, sa.expires_at, sa.task) for sa in endpoint.sas]
                raise Violation(f"{node.name} still has {left}, {states}")
            if node.unwiped and not node.heap.failed:
                raise Violation(f"{node.name} has {len(node.unwiped)} keys that were not wiped")

    def report(self):
        """The last lines of every node's trace."""
        return "\n".join(
            f"  {time:>7} {node.name} {kind} {sa} {text}" for node in self.nodes for time, kind, sa, text in node.lines
        )


def run(seed):
    """Runs one seed; returns None, or what went wrong in words, with the command that replays it."""
    simulation = Simulation(seed)
    try:
        simulation.run()
    except Exception as error:  # an engine must not raise at all
        where = "" if isinstance(error, Violation) else traceback.format_exc()
        return (
            f"make sim SEED={seed} N=1\n{type(error).__name__}: {error}\n{where}"
            f"{simulation.faults}\nat {simulation.time} ms\n{simulation.report()}"
        )
    return None
