"""Named blobs that outlive a restart, in the VM."""

from uike.hal.vm import fetch, give


class Store:
    def read(self, name):
        """The bytes stored under a flat name such as "config.json", or None."""
        return fetch("store_read", name)

    def write(self, name, data):
        """Store bytes under a name."""
        give("store_write", data, name)
