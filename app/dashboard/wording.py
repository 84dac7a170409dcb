"""Times, names and results in plain words."""

from datetime import datetime
from typing import Any

from app.models import TaskStatus
from app.tasks.schemas import TaskView

MINUTE, HOUR, DAY = 60, 3600, 86_400
TENTHS_BELOW_SECONDS = 10
NOW_BELOW_SECONDS = 1
LONGEST_TEXT = 240
UNIT_BYTES, TENTHS_BELOW_UNITS = 1000, 10


def duration(seconds: float) -> str:
    """Say how long something takes, as exactly as a reader cares for."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < TENTHS_BELOW_SECONDS:
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min {seconds % MINUTE:.0f} s"
    if seconds < DAY:
        return f"{seconds // HOUR:.0f} h {seconds % HOUR // MINUTE:.0f} min"
    return f"{seconds // DAY:.0f} d {seconds % DAY // HOUR:.0f} h"


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something happened, in the largest unit that fits."""
    seconds = (now - moment).total_seconds()
    if seconds < NOW_BELOW_SECONDS:
        return "just now"
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def amount(count: int, noun: str) -> str:
    """Say how many of something there are."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def size(count: int) -> str:
    """Say how many bytes there are, in the unit that fits."""
    number, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < UNIT_BYTES:
            break
        number, unit = number / UNIT_BYTES, larger
    return f"{number:.1f} {unit}" if unit != "B" and number < TENTHS_BELOW_UNITS else f"{number:.0f} {unit}"


def title(name: str) -> str:
    """Turn the name of a task into words."""
    return name.replace("_", " ").capitalize()


def shorten(text: str) -> str:
    """Cut a text to what fits into a row."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1].rstrip()}…"


def outcome(task: TaskView, now: datetime) -> str:
    """Say what became of a task, or what it is waiting for."""
    match task.status:
        case TaskStatus.QUEUED:
            return "Written to the ledger, waiting for a worker."
        case TaskStatus.RUNNING:
            return _running(task)
        case TaskStatus.RETRYING:
            wait = max(0.0, (task.available_at - now).total_seconds())
            due = f"The next one is due in {duration(wait)}." if wait else "The next one is due now."
            return f"{_attempt(task)} failed: {shorten(task.error or 'unknown error')}. {due}"
        case TaskStatus.SUCCEEDED:
            return result_in_words(task.result)
        case TaskStatus.FAILED:
            return shorten(task.error or "Failed without a message.")
        case _:
            return "Cancelled: it has no effect."


def result_in_words(result: dict[str, Any] | None) -> str:
    """Say what a task returned; results of unknown shape are listed as they are."""
    match result:
        case None:
            return "Done."
        case {"name": name, "price": price, "quantity": quantity, "category": category}:
            return f"{name}: price {price}, {quantity} pieces, category {category}."
        case {
            "worker": worker,
            "database_role": role,
            "database_round_trip_ms": database_ms,
            "redis_round_trip_ms": redis_ms,
        }:
            return f"{worker} reached the {role} database in {database_ms} ms and Redis in {redis_ms} ms."
        case _:
            return shorten(", ".join(f"{key}: {value}" for key, value in result.items())) or "Done."


def _running(task: TaskView) -> str:
    if task.attempts > 1:
        return f"{_attempt(task)} is under way."
    return "A worker is at it."


def _attempt(task: TaskView) -> str:
    return f"Attempt {task.attempts} of {task.max_attempts}"
