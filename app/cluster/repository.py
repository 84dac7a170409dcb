"""SQL about the group of MySQL members."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

MISSING = "MISSING"


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
        """Return the group's members, the primary first, lost ones last; empty where there is no group."""
        rows = self._session.execute(
            text(
                "SELECT CONCAT(MEMBER_HOST, ':', MEMBER_PORT), MEMBER_STATE, MEMBER_ROLE,"
                " COALESCE(COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE, 0)"
                " FROM performance_schema.replication_group_members"
                " LEFT JOIN performance_schema.replication_group_member_stats USING (MEMBER_ID)"
                " WHERE MEMBER_HOST <> '' ORDER BY MEMBER_ROLE <> 'PRIMARY', 1"
            )
        )
        return with_missing([Member(*row) for row in rows], self._seeds())

    def _seeds(self) -> list[str]:
        seeds = self._session.scalar(
            text(
                "SELECT VARIABLE_VALUE FROM performance_schema.global_variables"
                " WHERE VARIABLE_NAME = 'group_replication_group_seeds'"
            )
        )
        return [seed.strip() for seed in str(seeds or "").split(",") if seed.strip()]


def with_missing(members: Sequence[Member], seeds: Sequence[str]) -> list[Member]:
    """Add the members that a server was told of and that the group has expelled or never had.

    Where not all members are among the seeds, the group has other addresses for its own traffic.
    """
    present = {member.address for member in members}
    if not present or not present <= set(seeds):
        return list(members)
    return [*members, *(Member(seed, MISSING, "", 0) for seed in seeds if seed not in present)]
