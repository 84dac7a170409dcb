"""A commit, and what its end says."""

from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy.exc import SQLAlchemyError

from app.database.errors import is_rolled_back
from app.database.sessions import WriteSession
from worker.failures import describe


class CommitUncertainError(Exception):
    """The connection broke during COMMIT: only the ledger knows whether it happened."""


def commit(session: WriteSession) -> None:
    """Commit.

    Raises:
        CommitUncertainError: nobody can say whether it happened.
    """
    try:
        session.commit()
    except (SQLAlchemyError, SoftTimeLimitExceeded) as error:
        if is_rolled_back(error):
            raise
        session.invalidate()
        raise CommitUncertainError(describe(error)) from error
