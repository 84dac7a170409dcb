"""What a rate needs follows from what a task costs."""

import pytest

from docs.capacity import COSTS, RATES, Costs, cores, ends_table, highest_rate, needs_table, size
from docs.generate import SCALING, TABLES, renewed

ONE_OF_EACH = Costs(
    api_ms=3,
    worker_ms=1.2,
    primary_ms=6,
    replica_ms=0.6,
    redis_ms=0.06,
    redis_commands=8,
    transactions=0.5,
    log_bytes=2_000,
    stored_bytes=1_000,
)


def test_cores_are_not_kept_busier_than_they_may_be() -> None:
    assert cores(cpu_ms=3, tasks_per_second=1_000) == 5
    assert cores(cpu_ms=3, tasks_per_second=1_001) == 6
    assert cores(cpu_ms=0.1, tasks_per_second=1) == 1


@pytest.mark.parametrize("available", [1, 8, 64])
def test_the_highest_rate_needs_just_the_cores_that_there_are(available: int) -> None:
    rate = highest_rate(COSTS.primary_ms, available)
    assert cores(COSTS.primary_ms, rate * 0.999) == available
    assert cores(COSTS.primary_ms, rate * 1.001) == available + 1


def test_every_rate_has_a_column() -> None:
    rows = [line.strip("| ").split(" | ") for line in needs_table(ONE_OF_EACH).splitlines()]
    assert rows[0] == ["Steady tasks per second", *(f"{rate:,}" for rate in RATES)]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["cores of the primary"] == ["10", "100", "1,000"]
    assert by_name["of Redis' one core"] == ["6%", "60%", "600%"]
    assert by_name["transactions per second on the primary"] == ["500", "5,000", "50,000"]
    assert by_name["binary log per second"] == ["2 MB", "20 MB", "200 MB"]
    assert by_name["new rows per day"] == ["86.4 GB", "864 GB", "8.64 TB"]


def test_what_there_is_one_of_ends_somewhere() -> None:
    assert "| Redis: one thread | 10,000 |" in ends_table(ONE_OF_EACH)
    assert "| the primary: 16 cores | 1,600 |" in ends_table(ONE_OF_EACH)


@pytest.mark.parametrize(("count", "shown"), [(12, "12 B"), (1_234, "1.23 kB"), (5e15, "5e+03 TB")])
def test_sizes_are_shown_in_the_unit_that_people_use(count: float, shown: str) -> None:
    assert size(count) == shown


def test_the_tables_are_current() -> None:
    text = SCALING.read_text(encoding="utf-8")
    assert renewed(text, TABLES[SCALING]) == text, "run `make docs` and commit docs/scaling.md"
