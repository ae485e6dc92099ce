"""The firmware on an official MicroPython image: on a board at a serial port, or in an emulator that the user has."""
