"""MicroPython's modules of an ESP32, as far as the platform uses them, and as strict: what the real ones refuse, these do.

`Chip` is one board's hardware over several boots. A reset raises Reset, as nothing that follows it is executed.
"""

from types import ModuleType, SimpleNamespace


class Reset(BaseException):
    """machine.reset() was called, or the watchdog bit."""


class Pin:
    IN, OUT, PULL_UP = 1, 3, 2
    INPUT_ONLY = (34, 35, 36, 39)
    levels: dict = {}

    def __init__(self, number, mode=None, pull=None):
        if type(number) is not int or not 0 <= number <= 48:
            raise ValueError("invalid pin")
        if number in self.INPUT_ONLY and pull is not None:
            raise ValueError("pin does not support pull")
        self.number = number

    def value(self):
        return self.levels.get(self.number, 1)


class Chip:
    """`modules()` are what a program can import: machine, micropython, network, ntptime, esp32."""

    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5

    def __init__(self):
        self.memory = b""  # of the RTC
        self.cause = self.PWRON_RESET
        self.now_ms = 0
        self.interrupt = 3  # the character that stops a program, -1 for none
        self.frequencies = []
        self.dog = None  # (timeout, fed at)
        self.resets = 0
        self.pwm = {}
        self.levels = {}
        self.wlan = Wlan(self)
        self.lans = []
        self.country = self.hostname = None
        self.time = SimpleNamespace(year=2000, servers=[], answers={})
        self.blocks = [100_000, 50_000]  # that the system has left

    def power_on(self):
        self.memory, self.cause, self.dog = b"", self.PWRON_RESET, None

    def reset(self):
        self.resets += 1
        self.cause, self.dog = self.HARD_RESET, None
        raise Reset

    def pass_ms(self, ms):
        """Time passes; the watchdog bites."""
        self.now_ms += ms
        if self.dog and self.now_ms - self.dog[1] > self.dog[0]:
            self.dog, self.cause = None, self.WDT_RESET
            self.resets += 1
            raise Reset

    # -- the modules -------------------------------------------------------------------------------------------------

    def modules(self):
        names = ("machine", "micropython", "network", "ntptime", "esp32")
        return {name: _module(name, getattr(self, "_" + name)()) for name in names}

    def _machine(self):
        chip = self

        class Rtc:
            def memory(self, data=None):
                if data is None:
                    return chip.memory
                assert len(data) <= 2048
                chip.memory = bytes(data)

        class Wdt:
            def __init__(self, id=0, timeout=5000):
                assert id == 0 and timeout >= 1
                chip.dog = timeout, chip.now_ms

            def feed(self):
                chip.dog = chip.dog[0], chip.now_ms

        class Pwm:
            def __init__(self, pin):
                assert isinstance(pin, Pin)
                self.pin = pin

            def init(self, *, freq, duty_u16):
                assert 1 <= freq <= 40_000_000 and 0 <= duty_u16 <= 65535
                chip.pwm[self.pin.number] = freq, duty_u16

        def freq(hz=None):
            if hz not in (20_000_000, 40_000_000, 80_000_000, 160_000_000, 240_000_000):
                raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
            chip.frequencies.append(hz)

        Pin.levels = chip.levels
        causes = {name: value for name, value in vars(Chip).items() if name.endswith("_RESET")}
        return {
            "RTC": Rtc, "WDT": Wdt, "PWM": Pwm, "Pin": Pin, "freq": freq,
            "reset": chip.reset, "reset_cause": lambda: chip.cause, **causes,
        }  # fmt: skip

    def _esp32(self):
        def idf_heap_info(kind):
            assert kind == 4
            return [(300_000, sum(self.blocks), max(self.blocks), 0), (4, 0, 0, 0)]

        return {"HEAP_DATA": 4, "idf_heap_info": idf_heap_info}

    def _micropython(self):
        return {"kbd_intr": lambda character: setattr(self, "interrupt", character)}

    def _network(self):
        def wlan(interface):
            assert interface == 0
            return self.wlan

        def lan(**options):
            wanted = {"mdc", "mdio", "power", "phy_type", "phy_addr", "ref_clk", "ref_clk_mode"}
            assert set(options) == wanted
            assert all(isinstance(options[name], Pin) for name in ("mdc", "mdio", "ref_clk"))
            assert options["power"] is None or isinstance(options["power"], Pin)
            self.lans.append(Lan(options))
            return self.lans[-1]

        wlan.PM_NONE = 0
        return {
            "WLAN": wlan, "STA_IF": 0, "LAN": lan, "PHY_LAN8720": 5, "PHY_IP101": 2,
            "country": lambda code: setattr(self, "country", code),
            "hostname": lambda name: setattr(self, "hostname", name),
        }  # fmt: skip

    def _ntptime(self):
        def settime():
            server = module["self"].host
            self.time.servers.append(server)
            answer = self.time.answers.get(server)
            if answer is None:
                raise OSError(116)
            self.time.year = answer

        module = {"host": "pool.ntp.org", "timeout": 1, "settime": settime}
        return module


class _Interface:
    """What WLAN and LAN have in common. `got` is the address that the network gives."""

    def __init__(self):
        self.up, self.joined, self.got, self.fixed = False, False, "0.0.0.0", None
        self.calls = []

    def active(self, flag=None):
        if flag is None:
            return self.up
        self.calls.append(("active", flag))
        self.up = flag
        self.joined = self.joined and flag

    def isconnected(self):
        return self.up and self.joined

    def ifconfig(self, given=None):
        if given is None:
            return (self.fixed or self.got, "255.255.255.0", "192.0.2.1", "192.0.2.53")
        assert type(given) is tuple and len(given) == 4
        self.fixed = given[0]

    def take(self, address):
        """The network gives us an address, or (None) is gone."""
        self.joined, self.got = address is not None, address or "0.0.0.0"


class Wlan(_Interface):
    def __init__(self, chip):
        super().__init__()
        self.options = {}

    def config(self, **options):
        self.options.update(options)

    def connect(self, ssid, key=None):
        if not self.up:
            raise OSError("Wifi Not Started")
        self.calls.append(("connect", ssid, key))

    def disconnect(self):
        self.calls.append(("disconnect",))


class Lan(_Interface):
    def __init__(self, options):
        super().__init__()
        self.options = options


def _module(name, values):
    made = ModuleType(name)
    vars(made).update(values)
    if "self" not in values:
        values["self"] = made
    return made
