"""What start, footprint and growth make of what they saw."""

from bench.scenarios import LONG, SCENARIOS
from bench.scenarios.footprint import details_of
from bench.scenarios.footprint import figures_of as footprint_figures
from bench.scenarios.growth import figures_of as growth_figures
from bench.scenarios.start import KINDS, Start, figure_of
from bench.usage import Load, Snapshot, Usage


def look(api: int, parents: int) -> Snapshot:
    usages = {
        "api-1": Usage("api", 1, 1, 0.0, api * 1_000_000),
        "worker-1 parent": Usage("worker parents", 2, 1, 0.0, parents * 1_000_000),
    }
    return Snapshot(0.0, 0.0, 0.0, usages)


def test_what_takes_long_is_known_by_its_name() -> None:
    assert set(LONG) <= set(SCENARIOS)


def test_a_start_is_judged_by_the_middle_of_several() -> None:
    api, _, relay = KINDS
    starts = [Start(1.4, 1.0), Start(9.0, 1.1), Start(1.2, 0.9)]
    assert figure_of(api, starts).value == "1.40 s (median; 1.20-9.00), 1.00 s of CPU"
    assert figure_of(api, starts).verdict == "< 1.5 s: met"
    assert figure_of(api, [Start(1.6, 1.0)]).met is False
    assert figure_of(relay, starts).verdict == ""


def test_memory_is_compared_with_what_it_was_when_all_caches_were_full() -> None:
    looks = [look(80, 90), look(110, 95), look(115, 96), look(116, 120)]
    api, parents, _ = footprint_figures(looks, 1000)
    assert (api.value, api.met) == ("115 MB after 2,000 tasks · 116 MB after 3,000", True)
    assert (parents.value, parents.met) == ("96 MB after 2,000 tasks · 120 MB after 3,000", False)


def test_each_look_is_a_column() -> None:
    rows = details_of([look(80, 90), Snapshot(0.0, 0.0, 0.0, {}), look(81, 91)], 500)
    assert rows[0] == ["MB after tasks", "0", "500", "1,000"]
    assert rows[1] == ["api-1", "80", "-", "81"]


def test_the_price_of_a_task_and_the_database_s_part_are_shown_beside_the_rate() -> None:
    load = Load(
        10.0, 2, 500, 12.0, 0.0, {"mysql-0": Usage("mysqld", 1, 1, 4.0), "api-1": Usage("api", 2, 1, 1.0)}
    )
    rate, cost, mysql = growth_figures("accepted", load)
    assert (rate.what, rate.value) == ("accepted", "50 tasks/s")
    assert cost.value == "10.0 s per 1,000 tasks"
    assert mysql.value == "8.0 s per 1,000 tasks"
