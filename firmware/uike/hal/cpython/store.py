"""Named blobs that outlive a restart, on CPython."""


class Store:
    def __init__(self, host):
        self.read = host.store_read
        self.write = host.store_write
