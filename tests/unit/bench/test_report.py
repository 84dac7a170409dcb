from dataclasses import replace

from bench.machine import parse_version
from bench.report import cpu_rows, figure_rows, limits, terminal_report
from bench.results import Figure, Run, Table
from bench.usage import Load, Usage


def run(title: str = "idle", tasks: int = 100, busy_seconds: float = 5.0) -> Run:
    load = Load(10.0, 2, tasks, busy_seconds, 0.0, {"api-1": Usage("api", 1, 1, 4.0)})
    figures = [Figure("latency", "p50 40.0 ms", "p50 < 50 ms", met=True), Figure("answered", "9 ms")]
    return Run(title, title, figures, load, "The cores.")


def test_a_run_is_named_once_and_an_aim_is_judged_where_there_is_one() -> None:
    assert figure_rows([run()])[1:] == [
        ["idle", "latency", "p50 40.0 ms", "p50 < 50 ms: met"],
        ["", "answered", "9 ms", ""],
    ]


def test_each_run_has_a_column_of_cpu_seconds_and_their_price() -> None:
    rows = {name: values for name, *values in cpu_rows([run(), run("rest", tasks=0)])}
    assert rows["api"] == ["4.00", "4.00"]
    assert rows["share of the cores used"] == ["20%", "20%"]
    assert rows["CPU seconds per 1,000 tasks"] == ["40.00", "-"]


def test_a_group_that_took_no_part_in_a_run_used_nothing_there() -> None:
    other = Run("b", "b", [], Load(10.0, 2, 1, 2.0, 0.0, {"redis": Usage("redis", 2, 1, 2.0)}), "")
    rows = {name: values for name, *values in cpu_rows([run(), other])}
    assert rows["redis"] == ["0.00", "2.00"]


def test_figures_taken_on_a_busy_machine_say_so() -> None:
    assert limits([run()]) == "- idle: The cores."
    assert limits([run(busy_seconds=8.0)]).endswith(
        "Other work took 20% of the cores: measure again on a quiet machine."
    )


def test_the_report_shows_machine_figures_limits_and_cpu() -> None:
    report = terminal_report([("cores", "2 of something")], [run()])
    for part in ("2 of something", "p50 40.0 ms", "The cores.", "CPU seconds per 1,000 tasks"):
        assert part in report


def test_tables_of_a_run_are_part_of_the_report() -> None:
    shown = replace(run(), tables=[Table("Peers", [["who"], ["celery"]])])
    assert "celery" in terminal_report([], [shown])


def test_each_daemons_way_to_tell_its_version_is_understood() -> None:
    said = {
        "mysqld  Ver 9.7.4 for Linux on x86_64": "9.7.4",
        "Redis server v=8.0.6 sha=00000000:0": "8.0.6",
        "HAProxy version 3.2.26-1 2026/08/01": "3.2.26",
        "prometheus, version 3.5.3+ds1 (branch": "3.5.3",
        "nothing of use": "of unknown version",
    }
    assert [parse_version(output) for output in said] == list(said.values())
