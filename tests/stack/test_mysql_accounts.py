"""Accounts are changed while members join: MySQL alone would wait for itself for ever, most of the times."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from app.database.engines import database_url
from app.migrations.account import LOCK_NAME, ensure_account
from app.migrations.alone import alone
from stack.supervisor import Stack
from tests.stack.mysql_group import ORDINALS, Group
from tests.stack.waiting import wait_until
from tests.stack.worker.ledger import settings_of

JOINS = 3
STATEMENTS = 50  # so many at once that a join that did not wait would meet one


class Administrator(threading.Thread):
    """Sets the application's account again and again, as migrations do."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(name="administrator")
        self._settings = settings_of(stack.env_for("migrate"))
        self._stopping = threading.Event()
        self.rounds = 0
        self.error: Exception | None = None

    def run(self) -> None:
        engine = create_engine(
            database_url(self._settings, None, as_admin=True),
            connect_args={"connect_timeout": 5, "read_timeout": 30},
        )
        try:
            while not self._stopping.is_set():
                with engine.connect() as connection, alone(connection, LOCK_NAME):
                    for _ in range(STATEMENTS):
                        ensure_account(connection, self._settings)
                self.rounds += 1
        except Exception as error:  # noqa: BLE001 - the test tells it
            self.error = error
        finally:
            engine.dispose()

    def stop(self) -> None:
        self._stopping.set()
        self.join(60)


@pytest.fixture
def administrator(stack: Stack, group: Group) -> Iterator[Administrator]:
    administrator = Administrator(stack)
    administrator.start()
    wait_until(lambda: administrator.rounds > 0, f"the account of {group.primary()} is changed")
    yield administrator
    administrator.stop()


def test_a_member_joins_while_accounts_are_changed(group: Group, administrator: Administrator) -> None:
    for _ in range(JOINS):
        replica = next(ordinal for ordinal in ORDINALS if ordinal != group.primary())
        group.stack.service(group.server(replica)).kill()
        wait_until(lambda of=replica: of not in group.answers("/replica"), "the member is missed")  # type: ignore[misc]
        group.wait_complete(90)
    before = administrator.rounds
    wait_until(lambda: administrator.rounds > before or administrator.error, "accounts can be changed")
    assert administrator.error is None


def test_the_agents_account_sees_what_everybody_does_on_a_member(group: Group) -> None:
    with group.application_session() as waiting, group.session("mysql-primary", as_agent=True) as cursor:
        waiting.execute("SELECT 1")
        cursor.execute("SELECT processlist_user FROM performance_schema.threads")
        assert ("conveyor",) in cursor.fetchall()
