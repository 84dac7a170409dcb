"""The primary of the group as a contest asks it: products, transactions, tables for peers."""

import re
import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

import pymysql

from stack.application import ADMIN_USER, APP_USER, DATABASE
from stack.credentials import load_credentials
from stack.daemons.mysql import CA, tls_directory
from stack.supervisor import Stack

TIMEOUT_SECONDS = 30
# in the set of executed transactions an interval follows a colon
INTERVAL = re.compile(r":(\d+)(?:-(\d+))?(?=[:,\s]|$)")
# as Conveyor's, but that a task may have several
TABLE = """CREATE TABLE {table} (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT NOT NULL,
    task_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    price DECIMAL(10, 2) NOT NULL,
    quantity INT NOT NULL,
    category VARCHAR(50) NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    FOREIGN KEY (user_id) REFERENCES users (id),
    INDEX (task_id), INDEX (user_id, id), INDEX (created_at))"""


class Row(NamedTuple):
    """A product: whose task made it, and when, by the database's clock."""

    task_id: str
    created_at: datetime


class Database:
    """One connection for everything; it closes with the block."""

    def __init__(self, stack: Stack) -> None:
        credentials = load_credentials(stack.directory / "secrets.json")
        authority = tls_directory(stack.directory) / CA
        self._connection = pymysql.connect(
            host="127.0.0.1",
            port=stack.ports["mysql-primary"],
            user=ADMIN_USER,
            password=credentials.admin_password,
            ssl=ssl.create_default_context(cafile=str(authority)),
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
            database=DATABASE,
            autocommit=True,
        )
        self.environment = {
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_PORT": str(stack.ports["mysql-primary"]),
            "MYSQL_USER": APP_USER,
            "MYSQL_PASSWORD": credentials.app_password,
            "MYSQL_DATABASE": DATABASE,
            "MYSQL_TLS_CA": str(authority),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def create(self, table: str) -> None:
        """Make a table for a peer's products."""
        self._ask(f"DROP TABLE IF EXISTS {table}", TABLE.format(table=table))

    def products(self, table: str, user_id: int) -> list[Row]:
        """Return what a user's tasks have made."""
        query = f"SELECT task_id, created_at FROM {table} WHERE user_id = {user_id:d}"  # noqa: S608
        return [Row(*row) for row in self._ask(query)]

    def count(self, table: str, user_id: int) -> int:
        return int(self._ask(f"SELECT COUNT(*) FROM {table} WHERE user_id = {user_id:d}")[0][0])  # noqa: S608

    def transactions(self) -> int:
        """Count what the primary has committed since the group exists."""
        return transactions_in(str(self._ask("SELECT @@GLOBAL.gtid_executed")[0][0]))

    def primary_port(self) -> int:
        return int(self._ask("SELECT @@port")[0][0])

    def stored_bytes(self, tables: Sequence[str]) -> int:
        """Return what tables take, their indexes among it, by statistics that are made for it."""
        names = ", ".join(f"'{table}'" for table in tables)
        query = f"""SELECT SUM(data_length + index_length) FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name IN ({names})"""  # noqa: S608 - our own names
        uncached = "SET SESSION information_schema_stats_expiry = 0"
        return int(self._ask(uncached, f"ANALYZE TABLE {', '.join(tables)}", query)[0][0])

    def _ask(self, *statements: str) -> Sequence[Sequence[Any]]:
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()


def transactions_in(executed: str) -> int:
    """Count the transactions in a set of GTIDs."""
    return sum(int(last or first) - int(first) + 1 for first, last in INTERVAL.findall(executed))
