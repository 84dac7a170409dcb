"""What the databases say became of the tasks, read past everything that is being tested."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from tests.chaos.stock.store import CREATE_TABLES, LOGS, PRODUCTS
from tests.chaos.system import System
from tests.chaos.verdict import Effects, LedgerRow, LogRow
from tests.stack.mysql_group import ORDINALS

PAGE = 2_000
REDIS_SECONDS = 5
FINAL_IN_LEDGER = "SELECT id FROM tasks WHERE status IN ('succeeded', 'failed', 'cancelled') AND id IN %s"
LEDGER = "SELECT id, status, attempts, started_at, finished_at FROM tasks WHERE id > %s ORDER BY id LIMIT %s"
Rows = Sequence[tuple[Any, ...]]


class Books:
    """Reads Conveyor's tables, or those of the stock system."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._products = PRODUCTS if system.stock else "products"
        self._logs = LOGS if system.stock else "requests"
        env = system.stack.env_for("api-1")
        self._redis = Redis(
            port=system.stack.ports["redis"],
            password=env["REDIS_PASSWORD"],
            socket_timeout=REDIS_SECONDS,
            decode_responses=True,
        )

    def prepare(self) -> None:
        if self._system.stock:
            for statement in CREATE_TABLES:
                self._query(statement)

    def finished(self, task_ids: Collection[str]) -> set[str]:
        """Return those of the tasks that have come to their end."""
        in_log = f"SELECT task_id FROM {self._logs} WHERE task_id IN %s"  # noqa: S608 - a name of our own
        statement = in_log if self._system.stock else FINAL_IN_LEDGER
        ordered = sorted(task_ids)
        pages = [ordered[start : start + PAGE] for start in range(0, len(ordered), PAGE)]
        return {row[0] for page in pages for row in self._query(statement, (page,))}

    def effects(self) -> Effects:
        """Read everything; meant for a system at rest."""
        products = f"SELECT id, task_id FROM {self._products} WHERE id > %s ORDER BY id LIMIT %s"  # noqa: S608
        logs = (
            f"SELECT id, task_id, request_id, timestamp FROM {self._logs} WHERE id > %s ORDER BY id LIMIT %s"  # noqa: S608 - a name of our own
        )
        return Effects(
            products=[row[1] for row in self._pages(products, 0) if row[1]],
            logs=[LogRow(row[1], row[2], _seconds(row[3])) for row in self._pages(logs, 0) if row[1]],
            ledger=None if self._system.stock else self._ledger(),
            positions=self.positions(),
            leftovers=self.leftovers(),
        )

    def positions(self) -> dict[str, str]:
        """Return the transactions that each MySQL member has."""
        found = {}
        for ordinal in ORDINALS:
            name = self._system.group.server(ordinal)
            with self._system.group.session(name) as cursor:
                cursor.execute("SELECT @@GLOBAL.gtid_executed")
                [[position]] = cursor.fetchall()
                found[name] = str(position).replace("\n", "")
        return found

    def leftovers(self) -> dict[str, int]:
        """Return the sizes of all that may hold messages: every list, and what is not acknowledged."""
        sizes = {"unacked": self._redis.hlen("unacked"), "unacked_index": self._redis.zcard("unacked_index")}
        for key in self._redis.scan_iter(_type="list"):
            sizes[key] = self._redis.llen(key)
        return {key: int(size) for key, size in sizes.items() if size}

    def close(self) -> None:
        self._redis.close()

    def _ledger(self) -> dict[str, LedgerRow]:
        return {
            row[0]: LedgerRow(row[0], row[1], row[2], _seconds(row[3]), _seconds(row[4]))
            for row in self._pages(LEDGER, "")
        }

    def _pages(self, statement: str, after: int | str) -> Iterator[tuple[Any, ...]]:
        while rows := self._query(statement, (after, PAGE)):
            yield from rows
            after = rows[-1][0]

    def _query(self, statement: str, values: tuple[Any, ...] = ()) -> Rows:
        with self._system.admin() as cursor:
            cursor.execute(f"USE `{self._system.database()}`")
            cursor.execute(statement, values)
            rows: Rows = cursor.fetchall()
            return rows


def _seconds(moment: datetime | None) -> float:
    """Return seconds since the epoch; the database's clock runs in UTC."""
    return moment.replace(tzinfo=UTC).timestamp() if moment else 0.0
