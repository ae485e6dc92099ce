"""The admin secret of a board, on the host's side: a key from a secret, a proof from a key.

The board's side is `firmware/uike/app/admin.py`.
"""

import hashlib
import hmac

SECRET_MIN = 8  # characters
_ITERATIONS = 200_000
_SALT = b"uike admin 1"


def key(secret: str) -> bytes:
    """The 32 bytes that a board keeps of a secret: PBKDF2-HMAC-SHA256, so that guessing from them is slow."""
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), _SALT, _ITERATIONS)


def prove(link, command: dict, body: bytes, secret: str | None) -> dict:
    """The command with a proof that we know the secret, for which the board gives a challenge; as it is without one."""
    if secret is None:
        return command
    challenge = bytes.fromhex(link.request({"do": "challenge"})["challenge"])
    data = challenge + command["do"].encode() + hashlib.sha256(body).digest()
    return {**command, "proof": hmac.new(key(secret), data, "sha256").hexdigest()}
