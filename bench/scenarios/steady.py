"""How long a task takes while the system does seven tenths of what it can."""

from collections.abc import Sequence
from typing import Any

from bench.effort import Effort
from bench.generators.process import Generator, usage_of
from bench.ledger import LedgerTask
from bench.limit import limit_of
from bench.percentiles import percentiles
from bench.results import Figure, Run
from bench.scenarios.idle_latency import shown
from bench.system import System
from bench.usage import load_between

CONNECTIONS = 32
SHARE = 0.7
AIM_P99_MS = 500


def measure(system: System, effort: Effort) -> Sequence[Run]:
    path = f"/api/users/{system.ledger.new_user()}/create-product"
    with Generator("closed_loop", system.port, path, *_limits(effort)) as generator:
        most = generator.run(60 + effort.accept_seconds)
    system.drain(len(most["accepted"]))
    rate = SHARE * len(most["accepted"]) / most["seconds"]

    user_id = system.ledger.new_user()
    path = f"/api/users/{user_id}/create-product"
    with Generator("closed_loop", system.port, path, *_limits(effort), "--rate", rate) as generator:
        before = system.snapshot()
        result = generator.run(60 + effort.accept_seconds)
        after = system.snapshot()
    accepted = result["accepted"]
    system.drain(len(accepted))
    tasks = system.ledger.verified(user_id, accepted, unclear=sum(result["wrong"].values()))
    load = load_between(before, after, cores=system.cores, tasks=len(accepted), others=usage_of(result))
    title = f"steady, {rate:.0f} requests/s, {SHARE:.0%} of the most"
    return [Run(title, "steady", figures_of(result, tasks), load, limit_of(load))]


def figures_of(result: dict[str, Any], tasks: Sequence[LedgerTask]) -> list[Figure]:
    ledger = percentiles([(task.finished - task.created) * 1000 for task in tasks])
    aim, met = f"p99 < {AIM_P99_MS} ms", ledger.p99 < AIM_P99_MS
    sent = len(result["accepted"]) / result["seconds"]
    return [
        Figure("created_at → finished_at in the ledger", shown(ledger), aim, met=met),
        Figure("request due → 202 received", shown(percentiles(result["milliseconds"]))),
        Figure("accepted", f"{sent:.0f} requests/s"),
    ]


def _limits(effort: Effort) -> tuple[object, ...]:
    return "--connections", CONNECTIONS, "--seconds", effort.accept_seconds
