"""Looking at the members: the own server by its admin port, the others by their SQL ports."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pymysql

from mysql_agent.address import MOST_MEMBERS, Member
from mysql_agent.cluster import Answer, ClusterView, Observed, Role, State, Surroundings, ViewEntry
from mysql_agent.connect import Row, Session, error_text
from mysql_agent.gtids import GtidSet

# One statement, so that state and transactions belong to nearly the same moment.
_STATUS = """
SELECT @@GLOBAL.server_uuid AS uuid, @@GLOBAL.report_host AS host, @@GLOBAL.report_port AS port,
       @@GLOBAL.gtid_executed AS executed,
       (SELECT received_transaction_set FROM performance_schema.replication_connection_status
        WHERE channel_name = 'group_replication_applier') AS received,
       (SELECT count_transactions_remote_in_applier_queue
        FROM performance_schema.replication_group_member_stats
        WHERE member_id = @@GLOBAL.server_uuid) AS applier_queue,
       (SELECT MAX(TIMESTAMPDIFF(MICROSECOND, applying_transaction_original_commit_timestamp, NOW(6)))
        FROM performance_schema.replication_applier_status_by_worker
        WHERE channel_name = 'group_replication_applier' AND applying_transaction <> '') AS lag_microseconds,
       (SELECT variable_value FROM performance_schema.global_variables
        WHERE variable_name = 'group_replication_bootstrap_group') AS bootstrap_flag,
       (SELECT variable_value FROM performance_schema.global_status
        WHERE variable_name = 'Uptime') AS uptime
"""
_VIEW = """
SELECT member_id AS uuid, member_host AS host, member_port AS port, member_state AS state, member_role AS role
FROM performance_schema.replication_group_members WHERE member_id <> ''
"""


def read(session: Session) -> Answer:
    # The view comes first: transactions can only be added to what an OFFLINE member said next.
    view = session.rows(_VIEW)
    return answer_from(session.rows(_STATUS)[0], view)


def answer_from(status: Row, view: list[Row]) -> Answer:
    return Answer(
        uuid=status["uuid"],
        address=f"{status['host']}:{status['port']}",
        view=tuple(
            ViewEntry(row["uuid"], f"{row['host']}:{row['port']}", State(row["state"]), Role(row["role"]))
            for row in view
        ),
        gtids=GtidSet.parse(status["executed"]) | GtidSet.parse(status["received"] or ""),
        applier_queue=status["applier_queue"] or 0,
        # by two clocks, which may differ
        lag_seconds=max(0.0, (status["lag_microseconds"] or 0) / 1e6),
        bootstrap_flag=status["bootstrap_flag"] == "ON",
        uptime_seconds=float(status["uptime"]),
    )


class Observer:
    """Asks the own server, and the peers where its own word does not suffice.

    A server outside a group does not know whether there is one. A primary that was frozen still believes in
    its old view. Everybody else's view is good enough, which spares most connections.
    """

    def __init__(
        self,
        own: Member,
        peers: Callable[[], tuple[Member, ...]],
        ask: Callable[[Member], Answer],
        deadline_seconds: float,
        surroundings: Callable[[Answer | None], Surroundings] = lambda _: Surroundings(),
    ) -> None:
        self._surroundings = surroundings
        self._own = own
        self._peers = peers
        self._ask = ask
        self._deadline_seconds = deadline_seconds
        self._group_seen_at: float | None = None
        self._pool = ThreadPoolExecutor(max_workers=MOST_MEMBERS, thread_name_prefix="observe")

    def observe(self) -> ClusterView:
        (own,) = self._ask_all((self._own,))
        ask_peers = own.answer is not None and (
            own.answer.state in {State.OFFLINE, State.ERROR} or own.answer.role is Role.PRIMARY
        )
        members = self._peers()
        peers = self._ask_all(members) if ask_peers else tuple(map(_not_asked, members))
        return ClusterView(own, peers, self._group_seen_for(peers), self._surroundings(own.answer))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _group_seen_for(self, peers: tuple[Observed, ...]) -> float:
        if not any(peer.answer and peer.answer.serves for peer in peers):
            self._group_seen_at = None
            return 0.0
        if self._group_seen_at is None:
            self._group_seen_at = time.monotonic()
        return time.monotonic() - self._group_seen_at

    def _ask_all(self, members: tuple[Member, ...]) -> tuple[Observed, ...]:
        futures = [(member, self._pool.submit(self._ask, member)) for member in members]
        # Resolving a name has no time limit of its own, hence one around everything.
        wait([future for _, future in futures], timeout=self._deadline_seconds)
        return tuple(self._collect(member, future) for member, future in futures)

    def _collect(self, member: Member, future: Future[Answer]) -> Observed:
        if not future.done():
            future.cancel()
            return _unanswered(member, f"no answer within {self._deadline_seconds:g} s")
        try:
            return Observed(member.name, member.ordinal, str(member.address), future.result())
        except (pymysql.MySQLError, OSError, ValueError) as error:
            return _unanswered(member, error_text(error))


def _unanswered(member: Member, error: str) -> Observed:
    return Observed(member.name, member.ordinal, str(member.address), None, error)


def _not_asked(member: Member) -> Observed:
    return _unanswered(member, "not asked")
