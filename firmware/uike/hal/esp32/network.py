"""The board's network: Wi-Fi as a station, or Ethernet where the board has it and no Wi-Fi is configured.

Settings, all optional: {"wifi": {"ssid": "net", "password": "...", "country": "DE", "hostname": "gw-7"},
"static": ["192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.53"]}; `ethernet` is that table of the board's file. The
driver joins again by itself; when it has not for a minute, it is told to.
"""

import time

import network

_NO_ADDRESS = "0.0.0.0"
_JOIN_MS = 60_000  # without an address, until the network is joined anew
_RADIO_TURN = 5  # and every fifth time the radio goes off and on before that


class Network:
    """`wlan` is the station interface. Its radio is on even without a network to join: it feeds the generator."""

    def __init__(self, settings, ethernet=None):
        self._wifi = wifi = settings.get("wifi") or {}
        self._static = settings.get("static")
        if wifi.get("country"):
            network.country(wifi["country"])
        if wifi.get("hostname"):
            network.hostname(wifi["hostname"])
        self.wlan = self._nic = network.WLAN(network.STA_IF)
        if ethernet and not wifi.get("ssid"):
            self._nic = _lan(ethernet)
        self._turns = 0
        self._lost = None  # ticks since when there is no address
        self._raise_up()

    def _raise_up(self):
        self.wlan.active(True)
        try:
            self.wlan.config(pm=network.WLAN.PM_NONE)  # or each packet waits for a beacon
        except (OSError, ValueError, AttributeError):
            pass
        if self._nic is not self.wlan:
            self._nic.active(True)
        if self._static:
            self._nic.ifconfig(tuple(self._static))
        self._join()

    def _join(self):
        wifi = self._wifi
        if wifi.get("ssid"):
            password = wifi.get("password")
            self.wlan.connect(wifi["ssid"], password) if password else self.wlan.connect(wifi["ssid"])

    def radio(self):
        return self.wlan.active()

    def address(self):
        """Our IPv4 address, or None while there is none."""
        if self._nic.isconnected():
            found = self._nic.ifconfig()[0]
            if found != _NO_ADDRESS:
                self._lost = None
                return found
        now = time.ticks_ms()
        if self._lost is None:
            self._lost = now
        elif time.ticks_diff(now, self._lost) >= _JOIN_MS:
            self._lost = now
            self.mend()
        return None

    def mend(self):
        """Sets the network up anew: it was gone for a while, or is of no use."""
        self._turns += 1
        try:
            if self._nic is not self.wlan or self._turns % _RADIO_TURN == 0:
                self._nic.active(False)
                self._raise_up()
            elif self._wifi.get("ssid"):
                self.wlan.disconnect()
                self._join()
        except OSError:  # it is in the middle of something: next time
            pass


def _lan(settings):
    """The Ethernet interface of a board's table [ethernet]; ValueError for a PHY that this image does not know."""
    from machine import Pin

    phy = getattr(network, "PHY_" + settings["phy"], None)
    if phy is None:
        raise ValueError("ethernet phy")
    power = settings.get("power")
    return network.LAN(
        mdc=Pin(settings["mdc"]),
        mdio=Pin(settings["mdio"]),
        power=None if power is None else Pin(power),
        phy_type=phy,
        phy_addr=settings["address"],
        ref_clk=Pin(settings["clock_pin"]),
        ref_clk_mode=Pin.OUT if settings["clock"] == "out" else Pin.IN,
    )
