"""The verdict: what clients were promised against what the members hold. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from app.database.engines import POOL_WAIT_SECONDS
from app.settings import Settings
from tests.failover.books import Books, Holdings
from tests.failover.journal import DONE, Exchange, Journal

MEMBERS = 3
SHOWN = 5
UNAVAILABLE = 503


def longest_answer_seconds() -> float:
    """Return how long a request may take by the application's own limits, one after the other."""
    limits = Settings.model_fields
    return float(
        POOL_WAIT_SECONDS
        + limits["db_connect_timeout_seconds"].default
        + limits["db_read_timeout_seconds"].default
    )


@dataclass(frozen=True)
class Expected:
    """What a case may cost; everything else is a broken promise."""

    reads_refused: bool = False  # no member is left that could answer
    answer_seconds: float = longest_answer_seconds()


def judge(journal: Journal, books: Books, expected: Expected) -> list[str]:
    """Return each broken promise in words; none is what is hoped for."""
    return [
        *_lost(journal, books),
        *_doubled(journal, books),
        *_divided(books),
        *_badly_answered(journal, expected),
    ]


def count_lost(journal: Journal, books: Books) -> int:
    """Return how many acknowledged writes are missing on some member, each once."""
    rows, users = {one.id for one in journal.acknowledged()}, set(journal.users)
    lost: set[object] = set()
    for member in books.members.values():
        lost |= {("row", row) for row in rows - set(member.rows)}
        lost |= {("user", user) for user in users - member.users}
        lost |= {*journal.tasks} - {*member.tasks}
    return len(lost)


def _lost(journal: Journal, books: Books) -> Iterator[str]:
    rows = {one.id for one in journal.acknowledged()}
    for name, member in books.members.items():
        yield from _some(f"rows acknowledged, but not on {name}", rows - set(member.rows))
        yield from _some(f"users acknowledged, but not on {name}", set(journal.users) - member.users)
        yield from _some(f"tasks accepted, but not on {name}", {*journal.tasks} - {*member.tasks})


def _doubled(journal: Journal, books: Books) -> Iterator[str]:
    for name, member in books.members.items():
        yield from _some(f"rows more than once on {name}", _repeated(member.rows))
        keys = _repeated(key for key, _ in member.tasks)
        yield from _some(f"idempotency keys more than once on {name}", keys)
    tasks = defaultdict(set)
    for key, task_id in journal.tasks:
        tasks[key].add(task_id)
    answered = {key for key, ids in tasks.items() if len(ids) > 1}
    yield from _some("idempotency keys answered with different tasks", answered)
    yield from _some("users acknowledged twice", _repeated(journal.users))


def _divided(books: Books) -> Iterator[str]:
    if len({member.position for member in books.members.values()}) > 1:
        yield "members with different transactions: " + "; ".join(
            f"{name} {member.position}" for name, member in books.members.items()
        )
    if len({member.view for member in books.members.values()}) > 1:
        yield "members that see different groups: " + "; ".join(map(_view, books.members.items()))
    for name, member in books.members.items():
        roles = Counter(seat.role for seat in member.view)
        states = Counter(seat.state for seat in member.view)
        if states != {"ONLINE": MEMBERS} or roles != {"PRIMARY": 1, "SECONDARY": MEMBERS - 1}:
            yield f"not three members online under one primary: {_view((name, member))}"
    writable = [name for name, member in books.members.items() if member.takes_writes]
    if len(writable) != 1 or list(books.led_to) != writable:
        yield f"writers are led to {', '.join(books.led_to)}; those who take writes: {', '.join(writable)}"


def _badly_answered(journal: Journal, expected: Expected) -> Iterator[str]:
    reads = [one for one in journal.reads if one.status not in DONE]
    if expected.reads_refused:
        reads = [one for one in reads if not _in_order(one)]
    yield from _some("reads that failed", [_words(one) for one in reads])
    writes = [one for one in journal.writes if one.status not in DONE and not _in_order(one)]
    yield from _some("writes neither done nor refused with Retry-After", [_words(one) for one in writes])
    slow = [_words(one) for one in journal.writes if one.seconds > expected.answer_seconds]
    yield from _some(f"writes that took longer than {expected.answer_seconds:g} s", slow)
    yield from _some("clients that did not see their own write", journal.not_read_back)


def _in_order(exchange: Exchange) -> bool:
    return exchange.status == UNAVAILABLE and exchange.retry_after.isdecimal()


def _words(exchange: Exchange) -> str:
    return f"{exchange.what} {exchange.status} after {exchange.seconds:.1f} s {exchange.detail}".rstrip()


def _view(member: tuple[str, Holdings]) -> str:
    name, holdings = member
    return f"{name} sees " + ", ".join(f"{seat.address} {seat.state} {seat.role}" for seat in holdings.view)


def _repeated(values: Iterable[object]) -> set[object]:
    return {value for value, times in Counter(values).items() if times > 1}


def _some(what: str, found: Collection[object]) -> Iterator[str]:
    if found:
        shown = ", ".join(sorted(map(str, found))[:SHOWN])
        yield f"{len(found)} {what}: {shown}{', …' if len(found) > SHOWN else ''}"
