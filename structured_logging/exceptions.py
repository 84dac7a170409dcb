"""What the log says of an exception: where it came from, and its text only where that can quote no payload.

A payload is whatever a client sent. An exception that a task or a request's handler raised may repeat it
in its text, and so does the database of a value that it refuses; of those the log has the class alone.
"""

import traceback

MOST_FRAMES = 30
MOST_CAUSES = 5
# Whose texts speak of connections, addresses and settings.
HARMLESS_PACKAGES = frozenset(
    {
        *("amqp", "billiard", "celery", "kombu", "redis"),
        *("app", "certificates", "kubernetes_api", "mysql_agent", "mysql_archive", "worker"),
    }
)
HARMLESS_CLASSES = (ImportError, AttributeError, NameError, RecursionError)
# MySQL's own numbers: below 1000 and in the 2000s the client speaks, of its connection. The others are of
# accounts, connections, locks, full disks and members that are no primary.
HARMLESS_NUMBERS = frozenset(
    {
        *(1021, 1040, 1042, 1043, 1044, 1045, 1049, 1053, 1114, 1129, 1130, 1142, 1146, 1158, 1159),
        *(1160, 1161, 1203, 1205, 1213, 1226, 1290, 1792, 1836, 3024, 3032, 3100, 3101, 4031, 4094),
    }
)
CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


class QuotesPayloadError(Exception):
    """Base of our own exceptions whose text may repeat a payload."""


def summary(error: BaseException, *, with_text: bool = False) -> str:
    """Return the class of an exception, and its text where that is harmless or was asked for."""
    # SQLAlchemy's own text repeats the statement.
    cause = getattr(error, "orig", None) or error
    text = str(cause).strip() if with_text else _harmless_text(cause)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__


def render(error: BaseException, *, with_text: bool = False) -> str:
    """Return the traceback of an exception and of what caused it, without the values of variables."""
    parts: list[str] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen and len(seen) < MOST_CAUSES:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__, limit=-MOST_FRAMES))
        head = "Traceback (most recent call last):\n" if frames else ""
        parts.append(f"{head}{frames}{_last_lines(current, with_text=with_text)}")
        cause = current.__cause__
        context = None if current.__suppress_context__ else current.__context__
        if cause or context:
            parts.append(CAUSE if cause else CONTEXT)
        current = cause or context
    return "".join(reversed(parts)).strip()


def _last_lines(error: BaseException, *, with_text: bool) -> str:
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    lines = [
        summary(error, with_text=with_text),
        *(f"  {summary(one, with_text=with_text)}" for one in inner),
    ]
    return "\n".join(lines) + "\n"


def _harmless_text(error: BaseException) -> str:
    if isinstance(error, QuotesPayloadError):
        return ""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    package = type(error).__module__.partition(".")[0]
    if package in {"pymysql", "MySQLdb"}:
        return _of_the_database(error.args)
    if package in HARMLESS_PACKAGES or isinstance(error, HARMLESS_CLASSES):
        return str(error).strip()
    return ""


def _of_the_database(args: tuple[object, ...]) -> str:
    match args:
        case (int(number), str(text)) if number < 1000 or 2000 <= number < 3000 or number in HARMLESS_NUMBERS:  # noqa: PLR2004 - as above
            return f"{text} [{number}]"
        case (int(number), *_):
            return f"[{number}]"
    return ""
