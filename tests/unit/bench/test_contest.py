import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from bench.charts import Bar, bar_chart
from bench.contest.database import Row, transactions_in
from bench.contest.environments import REQUIREMENTS, versions_of
from bench.contest.noop import NoopFigures
from bench.contest.proxy import configuration
from bench.contest.standing import charts_of, cpu_per_thousand, figures_of, noop_figures, tables_of
from bench.contest.turn import Turn, steady_rate, verdict, wait_for
from bench.peers.catalogue import PEERS
from bench.percentiles import Percentiles
from bench.usage import Load, Usage

SERVER = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
START = datetime(2026, 1, 1, tzinfo=UTC)


def load(worker_seconds: float, groups: dict[str, float] | None = None) -> Load:
    seconds = {"worker": worker_seconds, **(groups or {})}
    usages = {group: Usage(group, 1, 1, used) for group, used in seconds.items()}
    return Load(seconds=10, cores=2, tasks=100, busy_seconds=5, disk_wait_seconds=0, usages=usages)


def turn(rate: float, worker_seconds: float = 1.0, processes: int = 1, requests: float = 100) -> Turn:
    answered = Percentiles(10, 50, 60)
    used = load(worker_seconds)
    return Turn(processes, requests, answered, 0.1, 0, used, rate, used, 9.0, 1.0, lost=0, doubled=0)


def test_transactions_are_counted_over_servers_intervals_and_tags() -> None:
    assert transactions_in("") == 0
    assert transactions_in(f"{SERVER}:1-5:7,\n{SERVER[::-1]}:tag:1-3") == 9


def test_accepted_tasks_without_a_row_are_lost_and_those_with_two_are_doubled() -> None:
    rows = [Row(task, START) for task in ("a", "b", "b", "c")]
    assert verdict(["a", "b", "c", "d"], rows) == (1, 1)


def test_the_rate_leaves_out_the_first_rows_of_fresh_workers() -> None:
    moments = [START + timedelta(seconds=second) for second in (0, 50, 60, 61, 62, 63, 64, 65, 66, 67)]
    assert steady_rate([Row("a", moment) for moment in reversed(moments)]) == 1.0


def test_waiting_ends_when_no_more_rows_come() -> None:
    assert wait_for(lambda: 3, 5, still_seconds=0) == 3


def test_conveyor_is_compared_with_the_best_peer_of_the_same_turn() -> None:
    turns = {
        "conveyor": [turn(150, 1.0), turn(80, 1.0)],
        "celery": [turn(100, 2.0), turn(20, 4.0)],
        "arq": [turn(50), turn(40)],
    }
    rate, cost, requests, slowest = figures_of(turns)
    assert rate.value == "1.75 (turn by turn 1.50 · 2.00)"
    assert rate.verdict == ">= 1.5: met"
    assert (cost.value, cost.verdict) == ("0.38 (turn by turn 0.50 · 0.25)", "<= 0.5: met")
    assert (requests.verdict, slowest.verdict) == (">= 1.0: met", "<= 1.0: met")


def test_turns_with_other_numbers_of_workers_are_not_mixed() -> None:
    played = [turn(100, processes=1), turn(150, processes=2)]
    turns = {"conveyor": played, "celery": [turn(200, processes=1), turn(100, processes=2)]}
    values = {figure.what: figure.value for figure in figures_of(turns)}
    assert values["tasks/s, 1 worker process, Conveyor / best peer"].startswith("0.50 ")
    assert values["tasks/s, 2 worker processes, Conveyor / best peer"].startswith("1.50 ")
    work, _ = tables_of(turns, {"celery": "2 children"})
    assert [row[:2] for row in work.rows[1:]] == [
        ["conveyor", "1 of 2 children"],
        ["celery", "1 of 2 children"],
        ["conveyor", "2 of 2 children"],
        ["celery", "2 of 2 children"],
    ]


def test_pictures_show_each_number_of_workers_but_for_requests_which_need_none() -> None:
    played = [turn(100, processes=1), turn(150, processes=2)]
    tasks, _, requests = (chart.svg for chart in charts_of({"conveyor": played, "celery": played}))
    assert [
        tasks.count(f">{name}, {count} worker<") for name in ("conveyor", "celery") for count in (1, 2)
    ] == [1] * 4
    assert (requests.count(">conveyor<"), requests.count("worker")) == (1, 0)


def test_only_processes_that_take_part_are_counted() -> None:
    used = load(1.0, {"peer redis": 0.5, "redis": 7.0, "api": 7.0, "mysqld": 2.0})
    columns = cpu_per_thousand("celery", used)
    assert (columns["worker"], columns["Redis"], columns["API"], columns["mysqld"]) == (10, 5, 0, 20)


def test_tasks_that_do_nothing_are_compared_turn_by_turn() -> None:
    figures = noop_figures(NoopFigures(batched=[500, 300], alone=[200, 100], stock=[100, 100]))
    values = {figure.what: (figure.value, figure.verdict) for figure in figures}
    assert values["Conveyor, in batches / stock Celery"] == (
        "4.00 (turn by turn 5.00 · 3.00)",
        ">= 2.0: met",
    )
    assert values["Conveyor, one by one / stock Celery"] == (
        "1.50 (turn by turn 2.00 · 1.00)",
        ">= 2.0: missed",
    )


def test_a_peer_that_takes_no_number_of_processes_is_started_for_each() -> None:
    commands = {peer.name: peer.commands(2) for peer in PEERS}
    assert commands["arq"] == [["arq", "tasks.WorkerSettings"]] * 2
    assert [command[-2:] for command in commands["celery"]] == [["-n", "0@%h"], ["-n", "1@%h"]]
    assert commands["streaq"] == [["streaq", "run", "tasks:worker", "--workers", "2"]]


def test_each_port_of_the_proxy_leads_to_the_processes_of_one_peer() -> None:
    sections = configuration({1000: [1, 2], 2000: [3]}).split("listen ")[1:]
    assert [section.count("server api") for section in sections] == [2, 1]
    assert "bind 127.0.0.1:2000" in sections[1]
    assert "127.0.0.1:3" in sections[1]


@pytest.mark.parametrize("peer", [peer.name for peer in PEERS])
def test_what_is_pinned_by_hand_is_locked_with_hashes_and_without_a_host(peer: str) -> None:
    locked = (REQUIREMENTS / f"{peer}.txt").read_text(encoding="utf-8")
    assert "://" not in locked
    assert peer in versions_of(peer)
    for pin in versions_of(peer).split(", "):
        name, version = pin.split(" ")
        assert f"{name.partition('[')[0]}=={version} \\\n    --hash=" in locked


def test_the_longest_bar_fits_and_names_are_escaped() -> None:
    picture = bar_chart("a < b", [Bar("<own>", 1, 2, 4, own=True), Bar("other", 1, 1, 1)])
    root = ET.fromstring(picture)  # noqa: S314
    width = float(root.attrib["width"])
    bars = [element for element in root.iter() if element.tag.endswith("rect")][1:]
    assert all(float(bar.attrib["x"]) + float(bar.attrib["width"]) < width for bar in bars)
    assert "&lt;own&gt;" in picture
