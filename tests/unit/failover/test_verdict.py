"""The verdict finds what it claims to find: each promise broken once."""

from dataclasses import replace

import pytest

from tests.failover.books import Books, Holdings, Seat
from tests.failover.journal import Exchange, Insert, Journal, pauses, refused_seconds
from tests.failover.verdict import Expected, judge, longest_answer_seconds

VIEW = tuple(Seat(f"m{n}:3306", "ONLINE", "PRIMARY" if n == 0 else "SECONDARY") for n in range(3))
MEMBER = Holdings((1, 2), frozenset({7}), (("k", "t"),), "u:1-9", VIEW, takes_writes=False)
BOOKS = Books({"m0": replace(MEMBER, takes_writes=True), "m1": MEMBER, "m2": MEMBER}, ("m0",))
SOON, LATE = 0.1, longest_answer_seconds() + 1


def journal(**changes: object) -> Journal:
    inserts = [Insert(1, 0, 1), Insert(2, 1, 2), Insert(3, 2, 3, "lost connection")]
    answered = [Exchange("user", 0, SOON, 201), Exchange("task", 0, SOON, 503, retry_after="5")]
    return replace(Journal(inserts, [7], [("k", "t"), ("k", "t")], answered), **changes)  # type: ignore[arg-type]


def books(**changes: object) -> Books:
    return Books({**BOOKS.members, "m2": replace(MEMBER, **changes)}, BOOKS.led_to)  # type: ignore[arg-type]


def said(kept: Journal, found: Books = BOOKS, expected: Expected = Expected()) -> str:  # noqa: B008 - it is frozen
    return "\n".join(judge(kept, found, expected))


def test_what_every_member_has_is_as_promised() -> None:
    assert said(journal()) == ""


def test_a_row_that_was_not_acknowledged_may_be_there() -> None:
    members = {name: replace(member, rows=(1, 2, 3)) for name, member in BOOKS.members.items()}
    assert said(journal(), Books(members, BOOKS.led_to)) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": (1,)}, "1 rows acknowledged, but not on m2: 2"),
        ({"users": frozenset()}, "1 users acknowledged, but not on m2: 7"),
        ({"tasks": ()}, "1 tasks accepted, but not on m2: ('k', 't')"),
        ({"rows": (1, 2, 2)}, "1 rows more than once on m2: 2"),
        ({"tasks": (("k", "t"), ("k", "s"))}, "1 idempotency keys more than once on m2: k"),
        ({"position": "u:1-8"}, "members with different transactions: m0 u:1-9; m1 u:1-9; m2 u:1-8"),
        ({"view": VIEW[:2]}, "members that see different groups"),
        ({"view": VIEW[:2]}, "not three members online under one primary: m2 sees m0:3306 ONLINE PRIMARY"),
        ({"takes_writes": True}, "writers are led to m0; those who take writes: m0, m2"),
    ],
)
def test_a_member_that_differs_is_named(changes: dict[str, object], words: str) -> None:
    assert words in said(journal(), books(**changes))


def test_writers_that_are_led_elsewhere_are_seen() -> None:
    assert (
        said(journal(), replace(BOOKS, led_to=("m1",))) == "writers are led to m1; those who take writes: m0"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tasks": [("k", "t"), ("k", "other")]}, "1 idempotency keys answered with different tasks: k"),
        ({"users": [7, 7]}, "1 users acknowledged twice: 7"),
        ({"writes": [Exchange("user", 0, SOON, 500)]}, "1 writes neither done nor refused with Retry-After"),
        ({"writes": [Exchange("user", 0, SOON, 503)]}, "1 writes neither done nor refused with Retry-After"),
        ({"writes": [Exchange("user", 0, LATE, 201)]}, "1 writes that took longer than 15 s: user 201"),
        ({"reads": [Exchange("read", 0, SOON, 503, "5")]}, "1 reads that failed: read 503"),
        ({"not_read_back": ["user 7"]}, "1 clients that did not see their own write: user 7"),
    ],
)
def test_a_bad_answer_is_told(changes: dict[str, object], words: str) -> None:
    assert words in said(journal(**changes))


def test_reads_may_be_refused_where_nobody_is_left_but_not_otherwise_fail() -> None:
    nobody_left = Expected(reads_refused=True)
    assert said(journal(reads=[Exchange("read", 0, SOON, 503, "5")]), BOOKS, nobody_left) == ""
    assert "reads that failed" in said(journal(reads=[Exchange("read", 0, SOON, 502)]), BOOKS, nobody_left)


def test_a_pause_is_counted_from_the_moment_that_is_asked_for() -> None:
    inserts = [
        Insert(1, 0, 1),
        Insert(2, 2, 4),
        Insert(3, 4, 5, "refused"),
        Insert(4, 5, 7),
        Insert(5, 7, 7.1),
    ]
    assert pauses(Journal(inserts), 3) == [1, 3]
    assert pauses(Journal(inserts), 3, until=4) == [1]


def test_a_pause_in_which_nobody_was_refused_is_a_wait() -> None:
    inserts = [Insert(1, 0, 1), Insert(2, 1, 3), Insert(3, 3, 4, "lost"), Insert(4, 4, 6)]
    refused = [Exchange("user", 6, 6.1, 503, "5"), Exchange("user", 6, 8, 201)]
    assert refused_seconds(Journal(inserts), 0) == 3
    assert refused_seconds(Journal([*inserts, Insert(5, 6, 6.5)], writes=refused), 0) == 3.5
