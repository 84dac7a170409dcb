"""Which passwords a release needs, and new ones."""

import secrets
import string
from collections.abc import Mapping

ALPHABET = string.ascii_letters + string.digits  # safe in a URL, in a shell and in SQL
LENGTH = 32  # 190 bits; MySQL keeps no longer one for Group Replication
RECOVERY_PASSWORD, FLOWER = "mysql-recovery-password", "flower-basic-auth"
KEYS = (
    "redis-password",
    "db-password",
    "db-admin-password",
    "mysql-agent-password",
    RECOVERY_PASSWORD,
    "secret-key",
    FLOWER,
)


def new_passwords() -> dict[str, str]:
    """Draw a value for every key."""
    drawn = {key: "".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for key in KEYS}
    drawn[FLOWER] = f"conveyor:{drawn[FLOWER]}"
    return drawn


def complaints(values: Mapping[str, bytes]) -> list[str]:
    """Say what is wrong with the values of a Secret, one sentence part per key; nothing if it will do."""
    found = [f"{key} is missing" for key in KEYS if not values.get(key)]
    if len(values.get(RECOVERY_PASSWORD, b"")) > LENGTH:
        found.append(f"{RECOVERY_PASSWORD} is longer than {LENGTH} characters, which MySQL refuses")
    user, separator, password = values.get(FLOWER, b"").partition(b":")
    if values.get(FLOWER) and not (user and separator and password):
        found.append(f"{FLOWER} is not user:password")
    return found
