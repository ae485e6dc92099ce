"""The registers of an emulated chip: what `uike.crypto.esp32.block` calls a `registers` object."""

from uctypes import addressof

from uike.hal.vm import call


class Registers:
    def read(self, address):
        return int(call("reg_read", str(address)))

    def write(self, address, value):
        call("reg_write", "%d %d" % (address, value))

    def load(self, address, words):
        data = bytearray(4 * words)
        call("reg_load", "%d %d %d" % (address, addressof(data), words))
        return data

    def store(self, address, data):
        call("reg_store", "%d %d %d" % (address, addressof(data), len(data) // 4))
