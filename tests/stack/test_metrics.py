"""Every metric of the catalogue is seen in a system that has worked a little."""

from collections.abc import Iterator

import httpx2 as httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from docs.catalogue import IN_KUBERNETES, MetricEntry, catalogue
from docs.metric_uses import uses
from stack.supervisor import Stack
from tests.stack.api_client import end_of
from tests.stack.waiting import wait_until

PROCESSES = ("api", "worker", "relay", "agent")
OF_HISTOGRAMS = {"le"}
# of the local stack's own parts; Kubernetes and its exporters are not here
FOREIGN = ("haproxy_", "flower_", "prometheus_", "scrape_", "up")


def exported(stack: Stack, process: str) -> dict[str, list[Metric]]:
    """Return what all processes of a kind export, by name."""
    found: dict[str, list[Metric]] = {}
    for name, port in stack.ports.items():
        if name.rpartition("-")[0] == process:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
            for family in text_string_to_metric_families(text):
                full = f"{family.name}_total" if family.type == "counter" else family.name
                found.setdefault(full, []).append(family)
    return found


@pytest.fixture(scope="module")
def worked(stack: Stack) -> Stack:
    """Use every part once."""
    with httpx.Client(base_url=stack.url, timeout=15) as api:
        for _ in range(3):
            accepted = api.post("/api/users/1/create-product")
            assert end_of(api, accepted.headers["Location"])["status"] == "succeeded"
    return stack


def sampled(stack: Stack, process: str) -> dict[str, tuple[str, set[str]]]:
    """Return type and labels of what has at least one sample."""
    found = {}
    for name, families in exported(stack, process).items():
        if samples := [sample for family in families for sample in family.samples]:
            labels = {label for sample in samples for label in sample.labels}
            found[name] = (families[0].type, labels - OF_HISTOGRAMS)
    return found


def expected(process: str) -> Iterator[MetricEntry]:
    yield from (entry for entry in catalogue() if process in entry.exported_by)


@pytest.mark.parametrize("process", PROCESSES)
def test_every_catalogued_metric_is_exported_and_no_other(worked: Stack, process: str) -> None:
    wanted = {entry.name: (entry.kind, set(entry.labels)) for entry in expected(process)}
    wait_until(
        lambda: set(wanted) <= set(sampled(worked, process)),
        f"{process} exports all: {sorted(wanted)}",
        20,
    )
    assert sampled(worked, process) == wanted


def test_all_that_an_agent_measures_elsewhere_is_of_kubernetes() -> None:
    elsewhere = {entry.name for entry in catalogue() if not set(entry.exported_by) & set(PROCESSES)}
    assert elsewhere == {entry.name for entry in expected(IN_KUBERNETES)}


def test_prometheus_knows_what_is_asked_for_of_other_programs(worked: Stack) -> None:
    url = f"http://127.0.0.1:{worked.ports['prometheus']}/api/v1/label/__name__/values"
    asked = {name for name in uses() if name.startswith(FOREIGN)}

    wait_until(
        lambda: asked <= set(httpx.get(url, timeout=5).json()["data"]), f"Prometheus has {sorted(asked)}", 30
    )


def test_a_promise_that_was_kept_is_counted_along_its_way(worked: Stack) -> None:
    def total(process: str, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in exported(worked, process).get(name, [])
            for sample in family.samples
            if sample.name in {name, f"{name}_count"} and labels.items() <= sample.labels.items()
        )

    task = "create_product_from_user"
    accepted = total("api", "tasks_accepted_total", task=task)
    assert accepted >= 3
    wait_until(lambda: total("worker", "tasks_total", task=task, outcome="succeeded") >= 3, "three succeeded")
    assert total("worker", "task_accepted_to_done_seconds", task=task) >= 3
    assert total("worker", "task_attempts", task=task) >= 3
    assert total("api", "task_publish_seconds") + total("relay", "task_publish_seconds") >= 1
    wait_until(lambda: total("relay", "workers_alive") >= 2, "the relays see the workers")
    assert total("agent", "mysql_agent_promotions_total") >= 1
    assert total("relay", "redis_connected_clients") >= 1
