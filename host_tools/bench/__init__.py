"""What uike costs: instructions and heap in the VM, handshakes and packets a second on CPython, and its peers'."""

SUITES = (  # (IKE proposal, ESP proposal)
    ("aes128-sha256-x25519", "aes128-sha256"),
    ("aes256-sha256-x25519", "aes256-sha256"),
    ("aes128gcm16-prfsha256-x25519", "aes128gcm16"),
    ("aes256gcm16-prfsha384-ecp256", "aes256gcm16"),
    ("chacha20poly1305-prfsha256-x25519", "chacha20poly1305"),
    ("aes128-sha256-ecp256", "aes128-sha256"),
    ("aes128-sha256-modp2048", "aes128-sha256"),
)
CERTIFICATES = (  # kinds of keys of handshakes with certificates, a root and what it issued, in the first suite
    "p256",
    "rsa2048",
)
SIZES = (64, 1400)  # bytes of the inner packets
