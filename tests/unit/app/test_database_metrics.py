"""What is measured of the ways to the database."""

from typing import TYPE_CHECKING, cast

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import QueuePool, create_engine

from app.database.pools import PoolMetrics
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from app.settings import Settings

if TYPE_CHECKING:
    from app.database.sessions import ReadSession

SETTINGS = Settings(
    db_password=SecretStr("unused"), db_pool_size=5, db_slave1_host="one:3306", db_slave2_host="two:3306"
)


class Replica:
    """Answers whether it has applied what was asked for."""

    def __init__(self, *, timed_out: bool) -> None:
        self.answer = int(timed_out)

    def scalar(self, *_: object) -> int:
        return self.answer


def connections(registry: CollectorRegistry, pool: str) -> tuple[float | None, float | None]:
    in_use, idle = (
        registry.get_sample_value("database_pool_connections", {"pool": pool, "state": state})
        for state in ("in_use", "idle")
    )
    return in_use, idle


def test_a_pool_shows_what_is_in_use_and_what_is_idle() -> None:
    registry = CollectorRegistry()
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=2)
    registry.register(PoolMetrics({"primary": engine}, 3))
    assert connections(registry, "primary") == (0, 0)

    first, second = engine.connect(), engine.connect()
    assert connections(registry, "primary") == (2, 0)
    second.close()
    assert connections(registry, "primary") == (1, 1)
    first.close()
    assert connections(registry, "primary") == (0, 1), "what the pool does not keep is closed"

    engine.dispose()
    assert connections(registry, "primary") == (0, 0), "a pool that was made anew is looked at"


def test_every_pool_of_a_process_is_shown_with_its_limit() -> None:
    registry = CollectorRegistry()
    registry.register(Database(SETTINGS, DatabaseMetrics(registry)).pool_metrics)

    for pool in ("primary", "replica-1", "replica-2"):
        assert connections(registry, pool) == (0, 0)
        assert registry.get_sample_value("database_pool_limit", {"pool": pool}) == 10


@pytest.mark.parametrize("timed_out", [False, True])
def test_a_replica_that_is_behind_is_counted_and_the_wait_for_it_measured(timed_out: bool) -> None:  # noqa: FBT001 - a table of cases
    registry = CollectorRegistry()
    database = Database(SETTINGS, DatabaseMetrics(registry))

    applied = database._has_applied(cast("ReadSession", Replica(timed_out=timed_out)), "uuid:1-5")

    assert applied is not timed_out
    assert registry.get_sample_value("database_read_your_writes_timeouts_total") == int(timed_out)
    assert registry.get_sample_value("database_read_your_writes_wait_seconds_count") == 1
