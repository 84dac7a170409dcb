"""Where a peer finds its queue and its database: the same for all of them."""

import os
import ssl

QUEUE_URL = os.environ["QUEUE_URL"]
# How long a killed worker's tasks wait until others take them; unset is what the documentation says.
RECOVERY_SECONDS = int(os.environ["RECOVERY_SECONDS"]) if os.environ.get("RECOVERY_SECONDS") else None
DATABASE = {
    "host": os.environ["MYSQL_HOST"],
    "port": int(os.environ["MYSQL_PORT"]),
    "user": os.environ["MYSQL_USER"],
    "password": os.environ["MYSQL_PASSWORD"],
}
DATABASE_NAME = os.environ["MYSQL_DATABASE"]
TABLE = os.environ["MYSQL_TABLE"]


def tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.environ["MYSQL_TLS_CA"])
