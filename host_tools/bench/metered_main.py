"""Runs in the VM in the place of the firmware's main: the same appliance, its crypto counted."""

from meter import Meter

from uike import event
from uike.app.run import Appliance
from uike.hal import board as platform_board

board = platform_board()
meter = Meter(board.crypto(), board.fuel)
board.crypto = lambda: meter
appliance = Appliance(board)
trace = appliance.endpoint.trace


def metered(code, sa, body):
    if code == event.NEGOTIATING:
        meter.reset()
    elif code == event.ESTABLISHED:
        board.console.write(b"metered %d %d" % (meter.spent, meter.calls * meter.each))
    trace(code, sa, body)


appliance.endpoint.trace = metered
appliance.run()
