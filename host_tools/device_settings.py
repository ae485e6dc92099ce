"""The table [admin] of a configuration file, checked.

[admin]
secret = "..."                # from then on, provisioning and reset want it
"""

from host_tools import admin
from host_tools.network_settings import NetworkError


def split(tree: dict) -> tuple[dict, str | None]:
    """(the rest of a file's tree, the admin secret). Raises NetworkError."""
    rest = {key: value for key, value in tree.items() if key != "admin"}
    return rest, _secret(tree["admin"]) if "admin" in tree else None


def _secret(table) -> str:
    if not isinstance(table, dict):
        raise NetworkError("[admin]: not a table")
    for key in table:
        if key != "secret":
            raise NetworkError(f"[admin] {key}: unknown; allowed: secret")
    allowed = f"{admin.SECRET_MIN} to 128 characters"
    if "secret" not in table:
        raise NetworkError(f"[admin] secret: missing; allowed: {allowed}")
    value = table["secret"]
    if not isinstance(value, str) or not admin.SECRET_MIN <= len(value) <= 128:
        raise NetworkError(f"[admin] secret: bad value; allowed: {allowed}")
    return value
