from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pymysql
import pytest

from app.migrations import account
from mysql_agent.act import Actor, Credentials
from mysql_agent.cluster import ClusterView
from mysql_agent.connect import Row, Session, error_text
from mysql_agent.decide import decide
from mysql_agent.decision import Action, Decision, Reason
from mysql_agent.lock import BootstrapLock, FileLock
from mysql_agent.turns import LOCK_NAME, LOCK_TIMEOUT_SECONDS
from tests.unit.mysql_agent.views import alone, cluster, in_group, in_kubernetes, offline, uuid

FOUNDING = cluster(0, offline(0), offline(1), offline(2))
JOINING = cluster(0, offline(0), alone(1), None)
FOUNDED = cluster(0, alone(0), offline(1), offline(2))
START = "START GROUP_REPLICATION USER = %s, PASSWORD = %s"
SEEDS = "SET GLOBAL group_replication_group_seeds = %s"
GET_LOCK = "SELECT GET_LOCK(%s, %s) AS granted"
FLAG_ON = "SET GLOBAL group_replication_bootstrap_group = ON"
FLAG_OFF = "SET GLOBAL group_replication_bootstrap_group = OFF"


class Database:
    """Records statements, answers some and refuses others."""

    user = "conveyor_agent"

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.arguments: dict[str, tuple[object, ...]] = {}
        self.refused: dict[str, Exception] = {}
        self.state = "OFFLINE"
        self.complaints: list[str] = []
        self.clients: list[int] = []
        self.granted = 1
        self.sessions = 0

    @contextmanager
    def session(self, _read_timeout: float | None = None) -> Iterator[Session]:
        self.sessions += 1
        try:
            yield cast("Session", self)
        finally:
            self.sessions -= 1

    def rows(self, statement: str, *arguments: object) -> list[Row]:
        if statement in self.refused:
            raise self.refused[statement]
        if "error_log" in statement:
            return [{"data": complaint} for complaint in self.complaints]
        self.arguments[statement] = arguments
        if "performance_schema.threads" in statement:
            self.arguments["clients"] = arguments
            return [{"id": client} for client in self.clients]
        return [{"now": 0, "state": self.state, "granted": self.granted}]

    def run(self, statement: str, *arguments: object) -> None:
        self.statements.append(statement)
        self.arguments[statement] = arguments
        if statement in self.refused:
            raise self.refused[statement]


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def lock(tmp_path: Path) -> FileLock:
    return FileLock(tmp_path / "run" / "bootstrap.lock")


def actor_on(
    database: Database,
    lock: BootstrapLock,
    observe: Callable[[], ClusterView] = lambda: FOUNDING,
    primary: Database | None = None,
    seeds: str = "",
) -> Actor:
    credentials = Credentials("gr_recovery", "secret")
    return Actor(
        database,
        credentials,
        lock,
        peer={"mysql-1": primary or Database()}.__getitem__,
        observe=observe,
        start_timeout_seconds=0.3,
        seeds=lambda: seeds,
    )


def carry_out(
    database: Database,
    lock: FileLock,
    decided_on: ClusterView,
    *later: ClusterView,
    primary: Database | None = None,
) -> Decision | None:
    views = list(later)
    actor = actor_on(database, lock, lambda: views.pop(0), primary)
    return actor.carry_out(decide(decided_on))


def test_a_server_that_starts_replication_is_told_where_the_members_are_now(
    database: Database, lock: FileLock
) -> None:
    actor = actor_on(database, lock, seeds="a:3306,b:3306")
    assert actor.carry_out(decide(JOINING)) is None
    assert database.statements[-2:] == [SEEDS, START]
    assert database.arguments[SEEDS] == ("a:3306,b:3306",)


def test_joining_starts_replication_with_credentials_and_a_cleared_flag(
    database: Database, lock: FileLock
) -> None:
    assert carry_out(database, lock, JOINING) is None
    assert database.statements == [FLAG_OFF, START]
    assert database.arguments[START] == ("gr_recovery", "secret")


def test_a_member_joins_while_it_keeps_accounts_from_being_changed_on_the_primary(
    database: Database, lock: FileLock
) -> None:
    primary = Database()
    sessions_at_start: list[int] = []
    run = database.run

    def noting(statement: str, *arguments: object) -> None:
        if statement == START:
            sessions_at_start.append(primary.sessions)
        run(statement, *arguments)

    database.run = noting  # type: ignore[method-assign]
    assert carry_out(database, lock, JOINING, primary=primary) is None
    assert primary.arguments[GET_LOCK] == ("conveyor_accounts", LOCK_TIMEOUT_SECONDS)
    assert (sessions_at_start, primary.sessions) == ([1], 0), "the lock lasts as long as its session"


def test_a_member_waits_for_its_turn_to_join(database: Database, lock: FileLock) -> None:
    primary = Database()
    primary.granted = 0
    obstacle = carry_out(database, lock, JOINING, primary=primary)
    assert obstacle
    assert obstacle.reason is Reason.ACCOUNTS_CHANGE
    assert database.statements == []


def test_a_member_does_not_join_a_group_whose_primary_it_cannot_reach(
    database: Database, lock: FileLock
) -> None:
    primary = Database()
    primary.refused[GET_LOCK] = pymysql.OperationalError(2013, "Lost connection")
    obstacle = carry_out(database, lock, JOINING, primary=primary)
    assert obstacle
    assert obstacle.reason is Reason.PRIMARY_UNREACHABLE
    assert "mysql-1" in obstacle.message
    assert database.statements == []


def test_the_agent_and_the_migrations_mean_the_same_lock() -> None:
    assert account.LOCK_NAME == LOCK_NAME


def test_a_member_in_error_is_stopped_before_it_starts(database: Database, lock: FileLock) -> None:
    database.state = "ERROR"
    assert carry_out(database, lock, JOINING) is None
    assert database.statements == [FLAG_OFF, "STOP GROUP_REPLICATION", START]


def test_the_group_is_founded_between_setting_and_clearing_the_flag(
    database: Database, lock: FileLock
) -> None:
    assert carry_out(database, lock, FOUNDING, FOUNDING, FOUNDED) is None
    assert database.statements == [FLAG_ON, START, FLAG_OFF]


def test_the_second_look_under_the_lock_decides(database: Database, lock: FileLock) -> None:
    obstacle = carry_out(database, lock, FOUNDING, JOINING)
    assert obstacle
    assert obstacle.reason is Reason.SITUATION_CHANGED
    assert database.statements == []


def test_nobody_bootstraps_while_another_holds_the_lock(
    database: Database, lock: FileLock, tmp_path: Path
) -> None:
    with FileLock(tmp_path / "run" / "bootstrap.lock").attempt() as hold:
        assert hold.is_safe()
        obstacle = carry_out(database, lock, FOUNDING, FOUNDING)
    assert obstacle
    assert obstacle.reason is Reason.LOCK_HELD
    assert database.statements == []
    assert carry_out(database, lock, FOUNDING, FOUNDING, FOUNDED) is None


def test_the_flag_is_cleared_when_the_start_is_refused(database: Database, lock: FileLock) -> None:
    database.refused[START] = pymysql.OperationalError(3092, "not configured properly")
    database.complaints = ["no local IP address matches", "no local IP address matches"]
    obstacle = carry_out(database, lock, FOUNDING, FOUNDING)
    assert obstacle
    assert obstacle.reason is Reason.START_REFUSED
    assert "not configured properly [3092] (no local IP address matches)" in obstacle.message
    assert database.statements[-1] == FLAG_OFF


def test_the_flag_is_cleared_when_the_connection_breaks(database: Database, lock: FileLock) -> None:
    database.refused[FLAG_ON] = ConnectionResetError("by peer")
    with pytest.raises(ConnectionResetError):
        carry_out(database, lock, FOUNDING, FOUNDING)
    assert database.statements[-1] == FLAG_OFF


def test_a_founder_that_does_not_come_online_is_reported(database: Database, lock: FileLock) -> None:
    obstacle = carry_out(database, lock, FOUNDING, FOUNDING, *[FOUNDING] * 5)
    assert obstacle
    assert obstacle.reason is Reason.NOT_ONLINE_YET


def test_an_old_incarnation_is_waited_for(database: Database, lock: FileLock) -> None:
    database.refused[START] = pymysql.OperationalError(3096, "joining failed")
    database.complaints = ["Old incarnation found while trying to add node"]
    obstacle = carry_out(database, lock, JOINING)
    assert obstacle
    assert obstacle.reason is Reason.OLD_INCARNATION


def test_a_refusal_is_reported_even_if_the_log_cannot_be_read(
    database: Database, lock: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.refused[START] = pymysql.OperationalError(2013, "Lost connection")
    monkeypatch.setattr("mysql_agent.act._COMPLAINTS", "complaints")
    database.refused["complaints"] = pymysql.OperationalError(2003, "refused")
    obstacle = carry_out(database, lock, JOINING)
    assert obstacle
    assert "nothing more in its log" in obstacle.message


def test_clients_are_disconnected_and_those_that_left_are_not_counted(
    database: Database, lock: FileLock
) -> None:
    database.clients = [7, 8]
    actor = actor_on(database, lock)
    assert actor.disconnect_clients() == 2
    assert database.arguments["clients"] == ("conveyor_agent", "gr_recovery")
    database.refused["KILL CONNECTION %s"] = pymysql.OperationalError(1094, "Unknown thread id")
    assert actor.disconnect_clients() == 0


def test_waiting_does_nothing(database: Database, lock: FileLock) -> None:
    waiting = decide(cluster(0, None, None, None))
    assert waiting.action is Action.WAIT
    assert carry_out(database, lock, cluster(0, None, None, None)) is None
    assert database.statements == []


def test_an_error_is_told_in_the_servers_words() -> None:
    assert error_text(pymysql.OperationalError(2003, "refused")) == "refused [2003]"
    assert error_text(ValueError("not a GTID set")) == "ValueError: not a GTID set"


HANDING_OVER = cluster(0, in_group(0), None, None, surroundings=in_kubernetes(stopping_seconds=0))
SET_PRIMARY = "SELECT group_replication_set_as_primary(%s, %s)"


def test_handing_over_names_the_successor(database: Database, lock: FileLock) -> None:
    assert carry_out(database, lock, HANDING_OVER) is None
    assert database.arguments[SET_PRIMARY] == (uuid(1), 5)


def test_a_successor_that_refuses_is_reported(database: Database, lock: FileLock) -> None:
    database.refused[SET_PRIMARY] = pymysql.OperationalError(3910, "The function failed")
    obstacle = carry_out(database, lock, HANDING_OVER)
    assert obstacle
    assert obstacle.reason is Reason.SWITCHOVER_FAILED
    assert "The function failed [3910]" in obstacle.message


def test_a_second_look_that_took_too_long_founds_nothing(database: Database) -> None:
    class RunsOut:
        obstacle = ""

        def is_safe(self) -> bool:
            return False

    class ShortLock:
        @contextmanager
        def attempt(self) -> Iterator[RunsOut]:
            yield RunsOut()

    actor = actor_on(database, ShortLock())
    obstacle = actor.carry_out(decide(FOUNDING))
    assert obstacle
    assert obstacle.reason is Reason.LOCK_RUNS_OUT
    assert database.statements == []
