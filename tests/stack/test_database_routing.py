"""Where the application's sessions lead when the members change roles."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from app.database import replicas
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from stack.supervisor import Stack
from tests.stack.mysql_group import Group
from tests.stack.waiting import wait_until
from tests.stack.worker.ledger import settings_of


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    database = Database(settings_of(stack.env_for("api-1")), DatabaseMetrics(CollectorRegistry()))
    yield database
    database.dispose()


def member_of_a_read(database: Database) -> int:
    """Return the ordinal of the member that serves a read."""
    with database.read() as session:
        assert session.role == "replica"
        return int(session.scalars(text("SELECT @@server_id")).one()) - 101


def test_a_replica_that_becomes_the_primary_serves_no_more_reads(
    group: Group, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "PATIENCE_SECONDS", 0.0)
    promoted = member_of_a_read(database)
    with group.session(group.server(promoted), as_agent=True) as cursor:
        cursor.execute("SELECT group_replication_set_as_primary(@@server_uuid)")
    wait_until(lambda: group.answers("/haproxy/primary") == [promoted], "its agent knows its role")
    wait_until(lambda: member_of_a_read(database) != promoted, "reads go elsewhere", 5)
    assert promoted not in {member_of_a_read(database) for _ in range(10)}
