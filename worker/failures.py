"""What follows an attempt that raised: pure decisions."""

from billiard.exceptions import SoftTimeLimitExceeded
from pydantic import ValidationError

from app.attempts.lifecycle import may_retry
from app.tasks.context import PermanentTaskError
from structured_logging.exceptions import summary


class InvalidPayloadError(PermanentTaskError):
    """The payload in the ledger does not fit the task as this worker knows it."""

    def __init__(self, error: ValidationError) -> None:
        places = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        super().__init__(f"the payload does not fit the task any more: {places}")


def describe(error: BaseException) -> str:
    """Return the text for the ledger: class and message, never a traceback."""
    if isinstance(error, PermanentTaskError):
        return str(error)
    if isinstance(error, SoftTimeLimitExceeded):
        return "SoftTimeLimitExceeded: the task ran longer than its time limit allows"
    return summary(error, with_text=True)


def deserves_retry(error: BaseException, attempt: int, max_attempts: int) -> bool:
    """Tell whether another attempt follows."""
    return not isinstance(error, PermanentTaskError) and may_retry(attempt, max_attempts)
