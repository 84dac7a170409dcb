"""How many requests per second are accepted, each a committed row of the ledger."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from bench.effort import Effort
from bench.generators.process import Generator, usage_of
from bench.limit import limit_of
from bench.percentiles import percentiles
from bench.results import Figure, Run
from bench.scenarios.idle_latency import shown
from bench.system import System
from bench.usage import load_between


def measure(system: System, effort: Effort) -> Sequence[Run]:
    return [
        _accept(system, connections, effort.accept_seconds, workers_run=workers_run)
        for workers_run in (False, True)
        for connections in effort.connections
    ]


def _accept(system: System, connections: int, seconds: float, *, workers_run: bool) -> Run:
    user_id = system.ledger.new_user()
    path = f"/api/users/{user_id}/create-product"
    arguments = ("--connections", connections, "--seconds", seconds)
    with (
        nullcontext() if workers_run else system.held_workers(),
        Generator("closed_loop", system.port, path, *arguments) as generator,
    ):
        before = system.snapshot()
        result = generator.run(60 + seconds)
        after = system.snapshot()
    accepted = result["accepted"]
    system.drain(len(accepted))
    system.ledger.verified(user_id, accepted, unclear=sum(result["wrong"].values()))
    load = load_between(before, after, cores=system.cores, tasks=len(accepted), others=usage_of(result))
    workers = "workers at work" if workers_run else "workers held"
    label = f"accept {connections}{'+w' if workers_run else ''}"
    title = f"accept, {connections} connections, {workers}"
    return Run(title, label, _figures(result), load, limit_of(load))


def _figures(result: dict[str, Any]) -> list[Figure]:
    accepted, wrong = len(result["accepted"]), result["wrong"]
    others = ", ".join(f"{times} of {what}" for what, times in wrong.items()) or "none"
    return [
        Figure("accepted", f"{accepted / result['seconds']:.0f} requests/s"),
        Figure("request sent → 202 received", shown(percentiles(result["milliseconds"]))),
        Figure("accepted · other answers", f"{accepted} in {result['seconds']:.1f} s · {others}"),
        Figure("the load generator's CPU", f"{result['cpu_seconds'] / result['seconds']:.0%} of a core"),
    ]
