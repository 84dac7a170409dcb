"""Tables with many rows."""

from typing import NamedTuple

from sqlalchemy import Connection, text

ROWS = 50_000
WAITING = 20_000
ROWS_PER_TRANSACTION = 10_000
TABLES = ("tasks", "products", "requests")
TASK_ID = "CONCAT('{kind}', LPAD(HEX(n), 7, '0'), '-0000-7000-8000-000000000000')"
NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"


class Kind(NamedTuple):
    """Tasks of one state, as SQL makes them from numbers; their ids begin with a letter of their own."""

    letter: str
    tasks: int
    status: str
    published_at: str = "NULL"
    available_at: str = "NOW(6) - INTERVAL 1 HOUR"
    finished_at: str = "NULL"
    lease_until: str = "NULL"


KINDS = (
    # the few are the oldest, so that who goes through the ids from the newest finds them last
    Kind("0", 3, "failed", "NOW(6)", finished_at="NOW(6)"),
    Kind("1", 3, "cancelled", "NOW(6)", finished_at="NOW(6)"),
    Kind("2", 3, "queued", available_at="NOW(6) - INTERVAL 1 MINUTE"),
    Kind("3", 3, "running", "NOW(6) - INTERVAL 1 MINUTE", lease_until="NOW(6) + INTERVAL 1 HOUR"),
    Kind("4", 3, "running", "NOW(6) - INTERVAL 1 HOUR", lease_until="NOW(6) - INTERVAL 1 MINUTE"),
    Kind("5", ROWS, "succeeded", "NOW(6) - INTERVAL 1 HOUR", finished_at="NOW(6) - INTERVAL 1 HOUR"),
    Kind("6", WAITING, "queued", "NOW(6) - INTERVAL 10 MINUTE"),
    Kind("7", WAITING, "retrying", available_at="NOW(6) + INTERVAL 1 HOUR"),
)
PRODUCTS = (
    "INSERT INTO products (user_id, task_id, name, description, price, quantity, category)"  # noqa: S608 - all of it is here
    f" {NUMBERS} SELECT IF(n <= 3, 2, 1), {TASK_ID.format(kind='5')}, 'p', 'd', 1, 1, 'c' FROM numbers"
)
REQUESTS = (
    "INSERT INTO requests (server_id, task_id, method, path, status_code, duration_ms, timestamp)"  # noqa: S608
    f" {NUMBERS} SELECT ELT(IF(n <= 3, 1, 2 + n % 2), 'api-0', 'api-1', 'celery-worker'),"
    f" {TASK_ID.format(kind='5')}, 'GET', '/', 200, 1,"
    " NOW(6) - INTERVAL 1 HOUR + INTERVAL n MICROSECOND FROM numbers"
)


def task_id(letter: str, number: int = 1) -> str:
    return f"{letter}{number:07X}-0000-7000-8000-000000000000"


def fill(connection: Connection) -> None:
    """Fill migrated tables; what MySQL knows of them stays what it knew when they were empty."""
    connection.execute(text(f"SET SESSION cte_max_recursion_depth = {ROWS_PER_TRANSACTION}"))
    for table in TABLES:
        connection.execute(text(f"ALTER TABLE {table} STATS_AUTO_RECALC = 0"))
        connection.execute(text(f"ANALYZE TABLE {table}"))
    connection.execute(text("INSERT INTO users (id, name, email) VALUES (1, 'a', 'a'), (2, 'b', 'b')"))
    for kind in KINDS:
        _repeat(connection, _tasks(kind), kind.tasks)
    _repeat(connection, PRODUCTS, ROWS)
    _repeat(connection, REQUESTS, ROWS)


def _repeat(connection: Connection, statement: str, count: int) -> None:
    for first in range(1, count + 1, ROWS_PER_TRANSACTION):
        last = min(first + ROWS_PER_TRANSACTION - 1, count)
        connection.execute(text(statement), {"first": first, "last": last})


def _tasks(kind: Kind) -> str:
    owner = "'worker'" if kind.status == "running" else "NULL"
    return (
        "INSERT INTO tasks (id, name, queue, payload, status, attempts, max_attempts,"  # noqa: S608
        " retry_delay_seconds,"
        " available_at, published_at, finished_at, lease_until, lease_owner, idempotency_key)"
        f" {NUMBERS} SELECT {TASK_ID.format(kind=kind.letter)}, 'sample', 'default', '{{}}', '{kind.status}',"
        f" 1, 4, 60, {kind.available_at}, {kind.published_at}, {kind.finished_at}, {kind.lease_until},"
        f" {owner}, CONCAT('{kind.letter}-', n) FROM numbers"
    )
