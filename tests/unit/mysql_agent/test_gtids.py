from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysql_agent.gtids import GtidSet

A = "aaaaaaaa-0000-0000-0000-000000000001"
B = "bbbbbbbb-0000-0000-0000-000000000002"

Transaction = tuple[str, str, int]
transactions = st.frozensets(
    st.tuples(st.sampled_from([A, B]), st.sampled_from(["", "tag", "other_tag"]), st.integers(1, 12))
)


def as_set(members: frozenset[Transaction]) -> GtidSet:
    return GtidSet.parse(",".join(f"{uuid}:{tag + ':' if tag else ''}{n}" for uuid, tag, n in members))


def members_of(gtids: GtidSet) -> frozenset[Transaction]:
    return frozenset(
        (uuid, tag, n)
        for (uuid, tag), intervals in gtids.sources
        for first, last in intervals
        for n in range(first, last + 1)
    )


@given(transactions, transactions)
def test_union_difference_and_comparison_are_those_of_sets(
    left: frozenset[Transaction], right: frozenset[Transaction]
) -> None:
    assert members_of(as_set(left) | as_set(right)) == left | right
    assert members_of(as_set(left) - as_set(right)) == left - right
    assert (as_set(left) >= as_set(right)) is (left >= right)
    assert bool(as_set(left)) is bool(left)


@given(transactions, transactions)
def test_equal_contents_are_equal_sets_however_they_were_made(
    left: frozenset[Transaction], right: frozenset[Transaction]
) -> None:
    assert as_set(left | right) == as_set(right) | as_set(left)


@given(transactions)
def test_what_is_printed_reads_back_as_the_same(members: frozenset[Transaction]) -> None:
    assert GtidSet.parse(str(as_set(members))) == as_set(members)


@given(transactions)
def test_intervals_are_sorted_and_never_touch(members: frozenset[Transaction]) -> None:
    for _, intervals in as_set(members).sources:
        assert all(right[0] - left[1] > 1 for left, right in pairwise(intervals))


def test_the_notation_of_mysql_is_understood() -> None:
    text = f"{A}:1-3:5:tag:1-2,\n{B.upper()}:7"
    assert members_of(GtidSet.parse(text)) == {
        (A, "", 1), (A, "", 2), (A, "", 3), (A, "", 5), (A, "tag", 1), (A, "tag", 2), (B, "", 7),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["nonsense", f"{A}:1-", f"{A}:-1", f"{A[:-1]}:1", f"{A}:1 or 1"])
def test_what_is_no_gtid_set_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="not a GTID set"):
        GtidSet.parse(text)
