"""A live Prometheus has an answer with a name to every query of every dashboard, after some work."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from grafana.generate import FOLDER
from grafana.live import Prometheus, Query, Window, queries, variables
from grafana.pictures.answers import lines
from stack.supervisor import Stack
from tests.stack.api_client import end_of
from tests.stack.mysql_group import Group
from tests.stack.waiting import wait_until

FILES = sorted(FOLDER.glob("*.json"))
WORK_SECONDS = 25.0
STEP = 5.0
NO_BACKUPS = "nobody makes backups of a stack on one machine"
NO_KUBERNETES = "outside Kubernetes an agent talks to no API"
ALL_WELL = "nothing is wrong"
# What a stack that is well on one machine has no answer to: panel, and the series' legend.
SILENT = {
    ("Alerts that fire", ""): ALL_WELL,
    ("Share of errors", "{{route}}"): ALL_WELL,
    ("What agents wait for", "{{pod}}{{member}}: {{reason}}"): ALL_WELL,
    ("Failovers", ""): ALL_WELL,
    ("Last backup", ""): NO_BACKUPS,
    ("Age of the last backup", "age"): NO_BACKUPS,
    ("Age of the last backup", "limit"): NO_BACKUPS,
    ("Size of the last backup", "size"): NO_BACKUPS,
    ("Kubernetes API", "refused or not answered"): NO_KUBERNETES,
    ("Kubernetes API", "others were quicker"): NO_KUBERNETES,
    ("Kubernetes API", "labels written"): NO_KUBERNETES,
    ("Memory used", ""): "Redis has no maxmemory on one machine",
    ("Memory", "maxmemory"): "Redis has no maxmemory on one machine",
}


def asked(file: Path) -> Iterator[tuple[Query, dict[str, str]]]:
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    for query in queries(dashboard):
        yield query, variables(dashboard)


@pytest.fixture
def worked(api: httpx.Client, group: Group, user_id: int) -> float:
    """Let every kind of task be done for a while, and return when that began."""
    del group  # it was waited for
    started = time.time()
    kinds = (
        {"name": "create_product_from_user", "payload": {"user_id": user_id}},
        {"name": "create_product_from_user", "payload": {"user_id": 2**40}},
        {"name": "greet_user", "payload": {"user_id": user_id}},
        {"name": "test_worker_connection", "payload": {}},
    )
    while time.time() < started + WORK_SECONDS:
        for kind in kinds:
            answer = api.post("/api/tasks", json=kind)
            end_of(api, answer.headers["Location"])
    return started


def test_every_query_has_an_answer_and_every_answer_its_name(stack: Stack, worked: float) -> None:
    prometheus = Prometheus(f"http://127.0.0.1:{stack.ports['prometheus']}")

    def unanswered() -> list[str]:
        end = time.time() // STEP * STEP
        window = Window(worked // STEP * STEP, end, STEP)
        return [
            f"{file.stem}: {query.panel}: {query.expression}"
            for file in FILES
            for query, values in asked(file)
            if (query.panel, query.legend) not in SILENT
            and not any(
                any(map(math.isfinite, line.values)) and bool(line.legend) == bool(query.legend)
                for line in lines(query.legend, prometheus.series(query, values, window))
            )
        ]

    def all_answered() -> bool:
        missing[:] = unanswered()
        return not missing

    missing: list[str] = []
    try:
        wait_until(all_answered, "every query has an answer", poll_seconds=STEP)
    except AssertionError:
        pytest.fail("\n".join(["no answer to", *missing]))


def test_no_silence_is_excused_that_no_query_has() -> None:
    there = {(query.panel, query.legend) for file in FILES for query, _ in asked(file)}
    assert set(SILENT) - there == set()
