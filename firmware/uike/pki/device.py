"""The key that was made on this board and the certificates for it, as they lie in the store. Transient.

"device.pair" is what connections with `key = "device"` use: size of the key(2) key certificates, our own first, all
DER. One blob, so that after a power cut both are the old ones or both are the new ones. "device.key" is a key that
still waits for its certificate, in the same form. Nothing reads either of them out to the outside.
"""

from uike.pki.der import Der

PAIR = "device.pair"
PENDING = "device.key"


def read(store, name=PAIR):
    """(private key, list of certificates), DER; b"" and [] while there are none."""
    data = store.read(name) if store else None
    if not data or len(data) < 2:
        return b"", []
    start = 2 + int.from_bytes(data[:2], "big")
    der = Der(data, start)
    found = []
    while der.tag():
        found.append(bytes(der.whole()))
    return data[2:start], found


def write(store, name, key, certificates=b""):
    """Keeps a key with its certificates, one after the other. OSError when it cannot."""
    store.write(name, len(key).to_bytes(2, "big") + key + certificates)
