"""What a MySQL error says about the server that sent it and about the transaction."""

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# The member is no primary any more: read-only (1290, 1792, 1836), refused by Group Replication
# (3100, 3101), handing its role over (4094), shutting down (1053) or offline (3032). SQLAlchemy would
# keep such a connection pooled.
DEMOTED = frozenset({1053, 1290, 1792, 1836, 3032, 3100, 3101, 4094})
# The server closed, refused or never answered the connection, or has none left (1040, 1203, 1226).
UNREACHABLE = frozenset({1040, 1203, 1226, 2002, 2003, 2006, 2013, 2014, 2045, 2055, 4031})
# The server does not know who asks or the database: one that was made anew and is yet to be filled, an
# account that is yet to be made or whose password is being changed.
STRANGE = frozenset({1044, 1045, 1049})
# The server's disk is full: whoever asks again later may find room, or another primary.
FULL = frozenset({1021, 1114})
# The server says that it rolled the transaction back, so running it again cannot double it.
ROLLED_BACK = frozenset({1205, 1213, 1290, 1792, 1836, 3100, 3101})
DUPLICATE_KEY = 1062


def error_code(error: BaseException | None) -> int | None:
    """Return MySQL's number of a driver error, or None where there is none."""
    args = getattr(error, "args", ())
    return args[0] if args and isinstance(args[0], int) else None


def is_unavailable(error: Exception) -> bool:
    """Tell whether the database, not the statement, is at fault: trying again later makes sense."""
    if isinstance(error, PoolTimeoutError | DisconnectionError):
        return True
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated or error_code(error.orig) in DEMOTED | UNREACHABLE | STRANGE | FULL
    )


def is_strange(error: Exception) -> bool:
    """Tell whether the server knows neither account nor database, as with a wrong password."""
    return isinstance(error, DBAPIError) and error_code(error.orig) in STRANGE


def is_rolled_back(error: Exception) -> bool:
    """Tell whether it is certain that nothing of the transaction was committed."""
    return isinstance(error, DBAPIError) and error_code(error.orig) in ROLLED_BACK


def is_transient(error: Exception) -> bool:
    """Tell whether a transaction that has not reached its COMMIT may simply be run again."""
    return is_rolled_back(error) or is_unavailable(error)


def is_duplicate_key(error: Exception) -> bool:
    """Tell whether a unique key refused the row."""
    return isinstance(error, DBAPIError) and error_code(error.orig) == DUPLICATE_KEY


def drop_demoted_connections(engine: Engine) -> None:
    """Throw away every pooled connection of an endpoint whose member says that it was demoted."""

    @event.listens_for(engine, "handle_error")
    def _on_error(context: ExceptionContext) -> None:
        if error_code(context.original_exception) in DEMOTED:
            context.is_disconnect = True
