"""What is read of an event, and what is refused."""

from datetime import timedelta

import pytest

from mysql_agent.gtids import GtidSet
from mysql_archive.events import TAGGED_GTID, EventError, checked, commit_of
from mysql_archive.stream import request
from tests.unit.mysql_archive.log_of_events import BEGIN, SOURCE, event, gtid_event


@pytest.mark.parametrize("applied_later", [False, True])
def test_a_transaction_has_the_time_of_its_primary_wherever_it_is_read(*, applied_later: bool) -> None:
    commit = commit_of(gtid_event(7, 1.000001, applied_later=applied_later))
    assert commit.gtid == f"{SOURCE}:7"
    assert commit.at == BEGIN + timedelta(seconds=1, microseconds=1)


def test_a_damaged_event_is_refused() -> None:
    raw = event(16, b"body").raw
    assert checked(raw).raw == raw
    with pytest.raises(EventError, match="checksum"):
        checked(raw[:20] + b"x" + raw[21:])
    with pytest.raises(EventError, match="another size"):
        checked(raw[:-1])


def test_a_transaction_that_could_not_be_found_again_is_refused() -> None:
    with pytest.raises(EventError, match="with a tag"):
        commit_of(event(TAGGED_GTID))


def test_the_server_is_asked_for_all_but_what_is_held() -> None:
    asked = request(GtidSet.parse(f"{SOURCE}:1-3:5"), 77)
    intervals = b"".join(number.to_bytes(8, "little") for number in (1, 4, 5, 6))
    assert asked.endswith((2).to_bytes(8, "little") + intervals)
    with pytest.raises(ValueError, match="tag"):
        request(GtidSet.parse(f"{SOURCE}:tag:1"), 77)
