import pytest

from bench.failure import BenchError
from bench.usage import Load, Snapshot, Usage, load_between

BEFORE = Snapshot(
    at=100.0,
    busy_seconds=50.0,
    disk_wait_seconds=5.0,
    usages={"api-1": Usage("api", 11, 1, 3.0), "api-2": Usage("api", 12, 1, 4.0)},
)
AFTER = Snapshot(
    at=110.0,
    busy_seconds=65.0,
    disk_wait_seconds=6.0,
    usages={"api-1": Usage("api", 11, 1, 7.0), "api-2": Usage("api", 12, 1, 10.0)},
)


def between(after: Snapshot = AFTER, generator: float = 1.0) -> Load:
    others = {"generator": Usage("generator", 0, 1, generator)}
    return load_between(BEFORE, after, cores=2, tasks=2000, others=others)


def test_cpu_seconds_are_what_was_added_between_two_moments() -> None:
    load = between()
    assert (load.seconds, load.busy_seconds, load.disk_wait_seconds) == (10.0, 15.0, 1.0)
    assert load.by_group() == {"api": 10.0, "generator": 1.0}


def test_what_the_machine_did_besides_is_told_apart() -> None:
    load = between()
    assert (load.own_seconds, load.other_seconds, load.capacity_seconds) == (11.0, 4.0, 20.0)


def test_coarse_counters_never_make_other_work_negative() -> None:
    assert between(generator=9.0).other_seconds == 0.0


def test_the_price_of_a_thousand_tasks_counts_every_process() -> None:
    assert between().per_thousand_tasks == 5.5


def test_a_process_that_was_replaced_makes_the_run_void() -> None:
    replaced = Snapshot(110.0, 65.0, 6.0, {"api-1": Usage("api", 99, 1, 0.5)})
    with pytest.raises(BenchError, match="api-1 was restarted"):
        between(replaced)


def test_a_process_that_appeared_during_a_run_makes_it_void() -> None:
    appeared = Snapshot(110.0, 65.0, 6.0, {"api-3": Usage("api", 13, 1, 0.5)})
    with pytest.raises(BenchError, match="api-3 was restarted"):
        between(appeared)


def test_children_that_ended_keep_their_share() -> None:
    fewer = Snapshot(110.0, 65.0, 6.0, {"api-1": Usage("api", 11, 0, 8.0)})
    assert between(fewer).usages["api-1"] == Usage("api", 11, 0, 5.0)
