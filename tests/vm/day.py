"""python -m tests.vm.day [HOURS]: a day of one board in the MicroPython VM with the heap of an ESP32, in virtual time.

From power-on to the tunnel, and to a broker behind it for a device of the local network that speaks MQTT (`[[relay]]`).
Then, hour by hour, what happens in the field: the gateway loses its power, or is away for a quarter of an hour; the
network goes and comes back, or gives another address; and in between the SAs are rekeyed. At the end come an hour in which
every datagram is lost, and one in which three of ten are. The device is connected when it happens. After each the tunnel
must work again within its bound, which follows from the configuration, and the device publish; the IKE SA is rekeyed while
it is connected; and the heap must be where it was. `tests/vm/test_day.py` runs the first hours.
"""

import socket
import sys

from host_tools import demo
from tests.app.test_reconnect import World
from tests.vm.mqtt import PATIENCE_MS, Broker, Device
from uike import reason

MINUTE, HOUR = 60_000, 3_600_000
RETRANSMIT_MS, TRIES, DPD_S, CEILING_S = 1_000, 6, 30, 60
GAP_MS = (RETRANSMIT_MS << TRIES - 1) * 11 // 10  # the longest silence within an attempt, with its jitter
GIVE_UP_MS = 2 * GAP_MS  # all of an attempt
MARGIN_MS = 6_000  # to ask, and to negotiate
BACK_MS = GAP_MS + CEILING_S * 1_000 + MARGIN_MS  # once the gateway can be reached again: the last wait, the pause
NOTICE_MS = DPD_S * 1_000 + GIVE_UP_MS + 1_000 + MARGIN_MS  # when it has forgotten us
RELAYED_MS = 2 * PATIENCE_MS + MARGIN_MS  # a device notices that its connection is dead, and one more time
GROWTH_MAX = 512  # bytes: each new reason of a drop takes its place in the table that counts them
PING = {"do": "ping", "to": demo.INNER, "count": 1}


class Day:
    """`rows`: (hour, what happened, ms until the tunnel worked, the bound for that, ms until the device had published
    then, bytes in use at the hour's end)."""

    def __init__(self, tell=lambda row: None):
        self.broker = Broker()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.device = Device(free.getsockname()[1])
        self.world = World(
            "vm",
            relay={"listen": f"127.0.0.1:{self.device.port}", "to": f"{demo.INNER}:1883"},
            retransmit_ms=RETRANSMIT_MS,
            retransmit_tries=TRIES,
            dpd_delay=DPD_S,
            reconnect_max=CEILING_S,
            esp_rekey_time=700,
            rekey_time=1_200,
        )
        exposed = {"side": "tunnel", "listen": "0.0.0.0:1883", "to": f"127.0.0.1:{self.broker.port}"}
        self.world.theirs["relay"] = [exposed]
        self.world.runtime = "cpython"  # of the gateway: whatever it is, it is no board
        self.rows = []
        self.tell = tell
        self.address = 2
        self.started_ms = None
        self.kept = 0  # connections of the device that outlived the rekeying of the IKE SA

    def run(self, hours):
        world = self.world
        world.start_gateway()
        world.up(1)
        self.started_ms = world.clock.now()
        self._publishes()
        self.published_ms = world.clock.now()
        steps = [self._restart, self._link, self._address, self._away]
        last = [self._loss, self._some_loss]
        for hour in range(hours):
            step = last[hour - hours + 2] if hour >= hours - 2 else steps[hour % len(steps)]
            self._until((hour * HOUR) + 10 * MINUTE)
            self._publishes()
            bound = step()
            took = self._works(bound)
            published = self._publishes()
            self._rekeys()
            self._until((hour + 1) * HOUR)
            assert self._works(MARGIN_MS) is not None, f"hour {hour}: no tunnel at its end"
            self.rows.append((hour, step.__name__.strip("_"), took, bound, published, self._heap()))
            self.tell(self.rows[-1])
        world.end()
        self.broker.close()
        return self

    def count(self, name):
        return len(self.world.said(name))

    def dropped(self, why):
        """How often something was dropped for that reason."""
        return len([each for each in self.world.said("drop") if each.fields["reason"] == why])

    # -- what happens; each returns in how many ms the tunnel must work again ----------------------------------------

    def _restart(self):
        self.world.kill_gateway()
        self.world.run(2_000)
        self.world.start_gateway()
        return NOTICE_MS

    def _away(self):
        self.world.kill_gateway()
        self.world.run(15 * MINUTE)
        self.world.start_gateway()
        return BACK_MS

    def _link(self):
        self._cut(1.0)
        self.world.board.host.set_link(None)
        self.world.run(5 * MINUTE)
        self._cut(0.0)
        self.world.board.host.set_link(self.world.board.host.port.address)
        return GAP_MS + MARGIN_MS

    def _address(self):
        self.address = self.address % 100 + 10
        address = f"192.0.2.{self.address}"
        self.world.switch.move(self.world.board.host.port, address)
        self.world.board.host.set_link(address)
        return MARGIN_MS

    def _loss(self):
        self._cut(1.0)
        self.world.run(HOUR)
        self._cut(0.0)
        return BACK_MS

    def _some_loss(self):
        self._cut(0.3)
        self.world.run(40 * MINUTE)
        self._cut(0.0)
        return NOTICE_MS  # it may have been lost just now

    # -- small parts -------------------------------------------------------------------------------------------------

    def _cut(self, loss):
        self.world.switch.loss = loss

    def _until(self, ms):
        self.world.run(max(2 * MINUTE, ms - self.world.clock.now()))  # what is under way comes to an end

    def _works(self, bound):
        """Pings until one comes back: the ms that took. AssertionError beyond the bound."""
        clock, start = self.world.clock, self.world.clock.now()
        answered = self._answered()
        while clock.now() - start <= bound:
            self.world.type(**PING)
            if clock.run(lambda: self._answered() > answered, limit_ms=2_000):
                return clock.now() - start
        raise AssertionError(
            f"no tunnel {bound} ms later: {[event and event.name for event in self.world.events[-12:]]}"
        )

    def _publishes(self):
        """Has the device publish one more number: the ms until the broker heard it. AssertionError beyond the bound."""
        clock, device, start = self.world.clock, self.device, self.world.clock.now()
        device.number += 1

        def heard():
            device.step(clock.now())
            self.broker.step()
            return device.number in self.broker.heard

        while clock.now() - start <= RELAYED_MS:
            if clock.run(heard, limit_ms=PATIENCE_MS):
                return clock.now() - start
            device.leave()
        raise AssertionError(f"nothing published {RELAYED_MS} ms later: {self.world.events[-12:]}")

    def _rekeys(self):
        """Replaces the IKE SA while the device is connected, which then publishes and leaves. That may cost the device its
        connection, where memory does not do for both (`app/doorway`)."""
        before = self.count("ike_rekeyed")
        for _ in range(30):  # for a command there may be no memory just then
            self.world.type(do="rekey", what="ike")
            if self.world.clock.run(lambda: self.count("ike_rekeyed") > before, limit_ms=2_000):
                break
        else:
            raise AssertionError([event.name for event in self.world.events[-30:] if event])
        made = self.device.made
        self._publishes()
        self.kept += self.device.made == made
        self.device.leave()

    def _answered(self):
        return sum(event.fields["answered"] for event in self.world.said("ping"))

    def _heap(self):
        """Bytes in use, when no exchange is under way."""
        world = self.world
        before = self.count("heap")
        world.type(do="heap")
        assert world.clock.run(lambda: self.count("heap") > before, limit_ms=1_000)
        return world.said("heap")[-1].fields["used"]


def growth(rows):
    """Bytes in use that the last quarter of the hours has more than the first, which begins with the second hour, when
    everything that stays has been made once. The least of each: a conservative collector only ever keeps too much."""
    used = [row[-1] for row in rows[1:]]
    quarter = max(2, len(used) // 4)
    return min(used[-quarter:]) - min(used[:quarter])


def main():
    hours = int(sys.argv[1]) if sys.argv[1:] else 24

    def tell(row):
        hour, what, took, bound, published, used = row
        print(
            f"{hour:>2}:10 {what:<10} up {took:>6} ms later, of {bound}; published after {published} ms more;"
            f" {used} bytes in use",
            flush=True,
        )

    day = Day(tell).run(hours)
    print(
        f"power-on to tunnel {day.started_ms} ms, to the first message {day.published_ms} ms; {len(day.broker.heard)}"
        f" messages, {day.device.made} connections of the device, of which {day.kept} outlived an IKE SA; {day.count('established')} times established,"
        f" {day.count('child_rekeyed')} and {day.count('ike_rekeyed')} rekeyings, {day.count('address_changed')} moves;"
        f" heap {growth(day.rows):+d} bytes from the first hours to the last"
    )
    print(f"memory did not do for something {day.dropped(reason.NO_MEMORY)} times")
    if day.dropped(reason.LOCAL_ERROR):
        return "the board has a bug of ours"
    return f"more than {GROWTH_MAX} bytes" if growth(day.rows) > GROWTH_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
