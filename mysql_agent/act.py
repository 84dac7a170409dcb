"""Carrying decisions out on the own server: join, bootstrap, and cutting off clients after a demotion."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import pymysql

from mysql_agent.cluster import ClusterView, State
from mysql_agent.connect import Session, error_text
from mysql_agent.decide import decide
from mysql_agent.decision import Action, Decision, Reason
from mysql_agent.lock import BootstrapLock, Hold
from mysql_agent.turns import turn_to_join

_CLIENTS = """
SELECT processlist_id AS id FROM performance_schema.threads
WHERE type = 'FOREGROUND' AND connection_type IS NOT NULL AND processlist_id <> CONNECTION_ID()
  AND processlist_user NOT IN (%s, %s)
"""
_COMPLAINTS = """
SELECT data FROM performance_schema.error_log
WHERE logged >= %s AND prio IN ('Error', 'Warning') AND subsystem = 'Repl' ORDER BY logged
"""

# Transactions that still run after this time are rolled back, and their clients disconnected.
RUNNING_TRANSACTIONS_SECONDS = 5
HAND_OVER_TIMEOUT_SECONDS = 12.0


@dataclass(frozen=True)
class Credentials:
    """What MySQL needs to talk to the group; it is given at every start and stored nowhere."""

    user: str
    password: str


class AsksServer(Protocol):
    user: str

    def session(self, read_timeout: float | None = None) -> AbstractContextManager[Session]: ...


class Actor:
    def __init__(
        self,
        server: AsksServer,
        credentials: Credentials,
        lock: BootstrapLock,
        *,
        peer: Callable[[str], AsksServer],
        observe: Callable[[], ClusterView],
        start_timeout_seconds: float,
        seeds: Callable[[], str] = lambda: "",
    ) -> None:
        self._server = server
        self._peer = peer
        self._credentials = credentials
        self._lock = lock
        self._observe = observe
        self._start_timeout_seconds = start_timeout_seconds
        self._seeds = seeds

    def carry_out(self, decision: Decision) -> Decision | None:
        """Do what was decided; what comes back is why it had no effect yet."""
        if decision.action is Action.JOIN:
            return self._join(decision.primary)
        if decision.action is Action.BOOTSTRAP:
            with self._lock.attempt() as hold:
                return _held_by_another(hold) if hold.obstacle else self._bootstrap(hold)
        if decision.action is Action.HAND_OVER:
            return self._hand_over(decision.successor)
        return None

    def clear_bootstrap_flag(self) -> None:
        """A flag left behind by a killed agent would make the next start found a second group."""
        with self._server.session() as session:
            _set_bootstrap_flag(session, on=False)

    def disconnect_clients(self) -> int:
        """End the clients' connections: load balancers do not cut those that are established."""
        with self._server.session() as session:
            clients = session.rows(_CLIENTS, self._server.user, self._credentials.user)
            return sum(_disconnected(session, int(client["id"])) for client in clients)

    def _join(self, primary: str) -> Decision | None:
        with turn_to_join(primary, self._peer(primary)) as obstacle:
            return obstacle or self._start()

    def _bootstrap(self, hold: Hold) -> Decision | None:
        again = decide(self._observe())
        if again.action is not Action.BOOTSTRAP:
            return Decision(
                Action.WAIT,
                Reason.SITUATION_CHANGED,
                f"did not bootstrap, a second look under the lock showed: {again.message}",
            )
        if not hold.is_safe():
            return Decision(
                Action.WAIT,
                Reason.LOCK_RUNS_OUT,
                "did not bootstrap, the second look took half of the lock's term",
            )
        try:
            with self._server.session() as session:
                _set_bootstrap_flag(session, on=True)
            refused = self._start(founding=True)
        finally:
            self.clear_bootstrap_flag()
        return refused or self._until_online()

    def _until_online(self) -> Decision | None:
        # The lock stays held until the others can see the group.
        deadline = time.monotonic() + self._start_timeout_seconds
        while time.monotonic() < deadline:
            own = self._observe().own.answer
            if own and own.state is State.ONLINE:
                return None
            time.sleep(0.2)
        return Decision(
            Action.WAIT,
            Reason.NOT_ONLINE_YET,
            f"bootstrapped, but the member is not ONLINE after {self._start_timeout_seconds:g} s",
        )

    def _start(self, *, founding: bool = False) -> Decision | None:
        with self._server.session(self._start_timeout_seconds) as session:
            if not founding:
                _set_bootstrap_flag(session, on=False)
            if seeds := self._seeds():
                session.run("SET GLOBAL group_replication_group_seeds = %s", seeds)
            since = session.rows("SELECT NOW(6) AS now")[0]["now"]
            try:
                _start_group_replication(session, self._credentials)
            except pymysql.MySQLError as error:
                return _refusal(error_text(error), self._complaints(since))
        return None

    def _hand_over(self, successor: str) -> Decision | None:
        with self._server.session(HAND_OVER_TIMEOUT_SECONDS) as session:
            try:
                session.rows(
                    "SELECT group_replication_set_as_primary(%s, %s)", successor, RUNNING_TRANSACTIONS_SECONDS
                )
            except pymysql.MySQLError as error:
                return Decision(
                    Action.WAIT,
                    Reason.SWITCHOVER_FAILED,
                    f"{successor} did not become the primary: {error_text(error)}",
                )
        return None

    def _complaints(self, since: object) -> list[str]:
        """The reasons are in the server's log only; its error messages say little more than "failed"."""
        try:
            with self._server.session() as session:
                return [str(row["data"]) for row in session.rows(_COMPLAINTS, since)]
        except (pymysql.MySQLError, OSError):
            return []


def _start_group_replication(session: Session, credentials: Credentials) -> None:
    state = session.rows(
        "SELECT member_state AS state FROM performance_schema.replication_group_members "
        "WHERE member_id = @@GLOBAL.server_uuid"
    )
    if any(row["state"] == State.ERROR for row in state):
        session.run("STOP GROUP_REPLICATION")  # in this state the plugin still counts as running
    session.run("START GROUP_REPLICATION USER = %s, PASSWORD = %s", credentials.user, credentials.password)


def _set_bootstrap_flag(session: Session, *, on: bool) -> None:
    session.run(f"SET GLOBAL group_replication_bootstrap_group = {'ON' if on else 'OFF'}")


def _disconnected(session: Session, client: int) -> bool:
    try:
        session.run("KILL CONNECTION %s", client)
    except pymysql.MySQLError:  # it left by itself meanwhile
        return False
    return True


def _held_by_another(hold: Hold) -> Decision:
    return Decision(Action.WAIT, Reason.LOCK_HELD, f"waiting for the bootstrap lock: {hold.obstacle}")


def _refusal(error: str, complaints: list[str]) -> Decision:
    if any("Old incarnation found" in complaint for complaint in complaints):
        return Decision(
            Action.WAIT,
            Reason.OLD_INCARNATION,
            'waiting for the group to expel this member\'s previous run ("Old incarnation found"); '
            "joining is tried again until then",
        )
    said = "; ".join(dict.fromkeys(complaints)) or "nothing more in its log"
    return Decision(
        Action.WAIT, Reason.START_REFUSED, f"MySQL refused to start Group Replication: {error} ({said})"
    )
