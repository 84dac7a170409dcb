"""SQL about the group of MySQL members."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session


class Member(NamedTuple):
    """One member as the group sees it; the lag counts transactions not yet applied."""

    address: str
    state: str
    role: str
    lag_transactions: int


class ClusterRepository:
    """Asks any member about all of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def members(self) -> list[Member]:
        """Return the group's members, the primary first; empty where there is no group."""
        rows = self._session.execute(
            text(
                "SELECT CONCAT(MEMBER_HOST, ':', MEMBER_PORT), MEMBER_STATE, MEMBER_ROLE,"
                " COALESCE(COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE, 0)"
                " FROM performance_schema.replication_group_members"
                " LEFT JOIN performance_schema.replication_group_member_stats USING (MEMBER_ID)"
                " WHERE MEMBER_HOST <> '' ORDER BY MEMBER_ROLE <> 'PRIMARY', 1"
            )
        )
        return [Member(*row) for row in rows]
