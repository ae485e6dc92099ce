"""The board's network: Wi-Fi as a station. The driver joins again by itself; here it is only looked at.

Settings, all optional: {"wifi": {"ssid": "net", "password": "...", "country": "DE", "hostname": "gw-7"},
"static": ["192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.53"]}.
"""

import network

_NO_ADDRESS = "0.0.0.0"


class Network:
    """`wlan` is the station interface. Its radio is on even without a network to join: it feeds the generator."""

    def __init__(self, settings):
        wifi = settings.get("wifi") or {}
        if wifi.get("country"):
            network.country(wifi["country"])
        if wifi.get("hostname"):
            network.hostname(wifi["hostname"])
        self.wlan = network.WLAN(network.STA_IF)
        self.wlan.active(True)
        try:
            self.wlan.config(pm=network.WLAN.PM_NONE)  # or each packet waits for a beacon
        except (OSError, ValueError, AttributeError):
            pass
        if settings.get("static"):
            self.wlan.ifconfig(tuple(settings["static"]))
        if wifi.get("ssid"):
            password = wifi.get("password")
            self.wlan.connect(wifi["ssid"], password) if password else self.wlan.connect(wifi["ssid"])

    def radio(self):
        return self.wlan.active()

    def address(self):
        """Our IPv4 address, or None while there is none."""
        if not self.wlan.isconnected():
            return None
        found = self.wlan.ifconfig()[0]
        return None if found == _NO_ADDRESS else found
