"""How many workers are worth their cores."""

from bench.contest.turn import Turn
from bench.percentiles import Percentiles
from bench.scenarios.workers import figures_of
from bench.usage import Load, Usage


def turn(rate: float, worker_seconds: float) -> Turn:
    usages = {"worker": Usage("worker", 1, 3, worker_seconds)}
    load = Load(1.0, 2, 1000, 1.5, 0.0, usages)
    return Turn(1, 100.0, Percentiles(1, 2, 3), 0.1, 0, load, rate, load, 5.0, 0.3, 0, 0)


def test_each_number_of_workers_has_its_rate_and_its_price() -> None:
    one, four = figures_of({1: [turn(1400, 0.6), turn(1200, 0.5), turn(1500, 0.7)], 4: [turn(1000, 0.9)]})
    assert one.what == "1 worker"
    assert one.value == (
        "1400 tasks/s (median of 3: 1200-1500), 0.60 ms of their CPU per task, 75% of the cores busy"
    )
    assert four.what == "4 workers"
    assert four.value.startswith("1000 tasks/s (median of 1: 1000-1000), 0.90 ms")
