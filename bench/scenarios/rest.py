"""What the system costs while nobody asks anything of it."""

import time
from collections.abc import Sequence

from bench.effort import Effort
from bench.limit import busiest_process
from bench.results import Figure, Run
from bench.system import System
from bench.usage import load_between


def measure(system: System, effort: Effort) -> Sequence[Run]:
    before = system.snapshot()
    time.sleep(effort.rest_seconds)
    load = load_between(before, system.snapshot(), cores=system.cores, tasks=0)
    name, share = busiest_process(load)
    cost = f"{load.own_seconds / load.seconds:.0%} of one core"
    limit = f"Nothing: there is nothing to do; {name} as the busiest process used {share:.1%} of a core."
    return [Run("at rest", "rest", [Figure("CPU of the whole system", cost)], load, limit)]
