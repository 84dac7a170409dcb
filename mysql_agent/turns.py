"""Joining a group and changing its accounts take turns, by a lock that both ask the primary for.

A statement that changes an account keeps everybody from logging in until the group has ordered it. The group
orders nothing while it takes a member in, and that member has to log in to the primary for it: together they
wait for each other for ever (seen with MySQL 9.7.4, where members talk to each other through sessions).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

import pymysql

from mysql_agent.connect import Session, error_text
from mysql_agent.decision import Action, Decision, Reason

# Those who change accounts take it as well; the name is theirs too.
LOCK_NAME = "conveyor_accounts"
LOCK_TIMEOUT_SECONDS = 5


class Primary(Protocol):
    def session(self, read_timeout: float | None = None) -> AbstractContextManager[Session]: ...


@contextmanager
def turn_to_join(name: str, primary: Primary) -> Iterator[Decision | None]:
    """Keep accounts from being changed meanwhile, or give the reason why it is not this member's turn."""
    with ExitStack() as held:
        yield _obstacle(name, primary, held)


def _obstacle(name: str, primary: Primary, held: ExitStack) -> Decision | None:
    try:
        session = held.enter_context(primary.session(LOCK_TIMEOUT_SECONDS + 5))
        [answer] = session.rows("SELECT GET_LOCK(%s, %s) AS granted", LOCK_NAME, LOCK_TIMEOUT_SECONDS)
    except (pymysql.MySQLError, OSError) as error:
        said = f"waiting for {name}, the primary, to answer before joining: {error_text(error)}"
        return Decision(Action.WAIT, Reason.PRIMARY_UNREACHABLE, said)
    if answer["granted"] != 1:
        said = f"waiting for accounts to be changed on {name}: whoever does it holds the lock {LOCK_NAME}"
        return Decision(Action.WAIT, Reason.ACCOUNTS_CHANGE, said)
    return None
