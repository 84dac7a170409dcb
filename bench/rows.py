"""Puts many rows into a running system's tables, as months of work would have left them there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
from pymysql.cursors import Cursor

from bench.failure import BenchError
from stack.supervisor import Stack

# The group refuses transactions that are too large, and a large one holds up all behind it.
ROWS_PER_TRANSACTION = 10_000
TIMEOUT_SECONDS = 120
# Rows that come this fast fill the redo logs: the primary may stand still until it is taken for lost.
TRIES = 10
PAUSE_SECONDS = 2.0
NUMBERS = (
    "WITH RECURSIVE numbers (n) AS (SELECT %(first)s UNION ALL SELECT n + 1 FROM numbers WHERE n < %(last)s)"
)
DAY_MILLISECONDS = 86_400_000
# A UUIDv7 per millisecond from two days ago on: too young for retention.
HEX = "LPAD(LOWER(HEX(%(begin)s + n)), 12, '0')"
TASK_ID = f"CONCAT(LEFT({HEX}, 8), '-', RIGHT({HEX}, 4), '-7000-8000-', LPAD(n, 12, '0'))"
YESTERDAY = "NOW(6) - INTERVAL 1 DAY"
ROWS = {
    "tasks": (
        "INSERT INTO tasks (id, name, queue, payload, status, attempts, max_attempts,"  # noqa: S608
        " retry_delay_seconds, accepted_by, created_at, available_at, published_at, started_at, finished_at,"
        " worker, result)"
        f" {NUMBERS} SELECT {TASK_ID}, 'create_product_from_user', 'default',"
        f" JSON_OBJECT('user_id', %(user)s), 'succeeded', 1, 4, 60, 'api-1', {', '.join([YESTERDAY] * 5)},"
        " 'worker-1', JSON_OBJECT('product_id', n) FROM numbers"
    ),
    "products": (
        "INSERT INTO products (user_id, task_id, name, description, price, quantity, category, created_at)"  # noqa: S608
        f" {NUMBERS} SELECT %(user)s, {TASK_ID}, 'Product for Bench', REPEAT('d', 120), 99.95, 7, 'Books',"
        f" {YESTERDAY} FROM numbers"
    ),
    "requests": (
        "INSERT INTO requests (server_id, task_id, method, path, status_code, duration_ms, timestamp)"  # noqa: S608
        f" {NUMBERS} SELECT 'celery-worker', {TASK_ID}, 'TASK', 'create_product_from_user', 200, 9.5,"
        f" {YESTERDAY} + INTERVAL n MICROSECOND FROM numbers"
    ),
}


class Rows:
    """A client of the database that knows its tables."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._env = stack.env_for("api-1")

    def add(self, count: int, user_id: int) -> None:
        """Add as many rows to each table."""
        begin = time.time_ns() // 1_000_000 - 2 * DAY_MILLISECONDS
        for statement in ROWS.values():
            for first in range(1, count + 1, ROWS_PER_TRANSACTION):
                last = min(first + ROWS_PER_TRANSACTION - 1, count)
                self._insert(statement, {"begin": begin, "first": first, "last": last, "user": user_id})

    def _insert(self, statement: str, parameters: dict[str, int]) -> None:
        for left in reversed(range(TRIES)):
            try:
                with self._cursor() as cursor:
                    cursor.execute("SET SESSION cte_max_recursion_depth = %s", (ROWS_PER_TRANSACTION,))
                    cursor.execute(statement, parameters)
            except pymysql.IntegrityError:
                if left == TRIES - 1:
                    raise
                return  # it had been committed, and only the answer was lost
            except pymysql.OperationalError as error:
                if not left:
                    raise BenchError(f"no rows could be added: {error}") from error
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def succeeded(self) -> int:
        """Count what workers have done since yesterday."""
        with self._cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM requests WHERE server_id = 'celery-worker'"
                " AND timestamp > NOW() - INTERVAL 12 HOUR"
            )
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self._stack.ports["mysql-primary"],
            user=self._env["DB_USER"],
            password=self._env["DB_PASSWORD"],
            database=self._env["DB_NAME"],
            autocommit=True,
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION transaction_isolation = 'READ-COMMITTED'")
            yield cursor
