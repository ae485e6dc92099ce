"""The board's LED: a pattern that the chip's PWM keeps up by itself, set when it changes."""

from machine import PWM, Pin

NO_NETWORK = (1, 6_000)  # Hz, on for so much of 65535: a short flash a second
NEGOTIATING = (4, 32_768)  # quick and even
UP = (1_000, 65_535)  # on
FAULT = (10, 32_768)  # hectic


class Led:
    """`low` for an LED that is lit by a low level."""

    def __init__(self, pin, low=False):
        self._pwm = PWM(Pin(pin))
        self._low = low
        self._shown = None

    def show(self, pattern):
        """One of the four patterns above."""
        if pattern is self._shown:
            return
        self._shown = pattern
        frequency, duty = pattern
        self._pwm.init(freq=frequency, duty_u16=65_535 - duty if self._low else duty)
