from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.plan import NOTHING, OVERLAP, Held, Life, Plan, plan, still_trusted

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = frozenset({"*.conveyor-mysql", "127.0.0.1"})
AUTHORITY_DAYS, CERTIFICATE_DAYS = 3650, 90


def life(age: int, days: int, now: datetime = NOW) -> Life:
    return Life(now - age * DAY, now + (days - age) * DAY)


def held(*authority_ages: int, age: int = 1, signed_by: int | None = 0, can_sign: bool = True) -> Held:
    authorities = tuple(life(one, AUTHORITY_DAYS) for one in authority_ages)
    return Held(authorities, life(age, CERTIFICATE_DAYS), NAMES, signed_by, can_sign=can_sign)


def test_nothing_there_means_everything_anew() -> None:
    assert plan(NOW, None, NAMES) == Plan(authority=True, certificate=True, because="there is none yet")


def test_what_holds_for_long_enough_stays() -> None:
    assert plan(NOW, held(100, age=59), NAMES) == NOTHING


@pytest.mark.parametrize(
    ("there", "names", "reason"),
    [
        (held(100, age=61), NAMES, "the certificate is in the last third of its life"),
        (held(100), NAMES | {"mysql-3"}, "the servers have other names"),
        (held(100, signed_by=None), NAMES, "the certificate is not of the authority"),
        (held(2, 3000, signed_by=1), NAMES, "the authority was replaced"),
    ],
)
def test_a_certificate_that_will_not_do_is_made_anew_by_the_same_authority(
    there: Held, names: frozenset[str], reason: str
) -> None:
    assert plan(NOW, there, names) == Plan(authority=False, certificate=True, because=reason)


def test_a_new_authority_signs_nothing_before_everybody_knows_it() -> None:
    ending = plan(NOW, held(3000), NAMES)
    assert (ending.authority, ending.certificate) == (True, False)
    assert plan(NOW, held(0, 3000, signed_by=1), NAMES) == NOTHING


def test_without_its_key_an_authority_is_replaced_and_what_it_signed_stays() -> None:
    lost = plan(NOW, held(100, can_sign=False), NAMES)
    assert (lost.authority, lost.certificate) == (True, False)


def test_an_expired_authority_takes_its_certificate_with_it() -> None:
    expired = plan(NOW, held(AUTHORITY_DAYS + 1), NAMES)
    assert (expired.authority, expired.certificate) == (True, True)


def follow(now: datetime, there: Held | None) -> Held:
    todo = plan(now, there, NAMES)
    old = there.authorities[: still_trusted(now, there.authorities)] if there else ()
    new = (Life(now, now + AUTHORITY_DAYS * DAY),) if todo.authority else ()
    authorities = new + old
    if todo.certificate or there is None:
        end = min(now + CERTIFICATE_DAYS * DAY, authorities[0].end)
        return Held(authorities, Life(now, end), NAMES, 0)
    assert there.signed_by is not None
    return Held(authorities, there.certificate, NAMES, there.signed_by + len(new))


@settings(max_examples=15)
@given(st.lists(st.integers(1, 20), min_size=1000, max_size=1500))
def test_over_decades_of_runs_that_come_late_whoever_read_the_authorities_a_day_ago_trusts_the_servers(
    pauses: list[int],
) -> None:
    now, there = NOW, follow(NOW, None)
    known: tuple[Life, ...] = there.authorities
    for days in pauses:
        now += days * DAY
        assert there.certificate.end > now
        known = there.authorities  # read since the last run, which was a day ago or more
        there = follow(now, there)
        assert there.signed_by is not None
        signer = there.authorities[there.signed_by]
        assert signer in known
        assert signer.end >= there.certificate.end
        assert now + OVERLAP < there.certificate.end
