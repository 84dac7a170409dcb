"""The database's clock: the only one that the ledger trusts, so that skew between hosts does no harm."""

from datetime import datetime

from sqlalchemy import Function, func, text

from app.models import Timestamp

MICROSECONDS = 1_000_000


def now() -> Function[datetime]:
    """Return the statement's time in UTC with microseconds."""
    return Function("now", 6, type_=Timestamp())


def now_plus(seconds: float) -> Function[datetime]:
    """Return the statement's time moved by `seconds`, which may be negative."""
    unit = text("MICROSECOND")
    return func.timestampadd(unit, round(seconds * MICROSECONDS), now(), type_=Timestamp())
