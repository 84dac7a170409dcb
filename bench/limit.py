"""What limits a figure, told from what the machine did while it was measured."""

from bench.usage import Load, Usage

# A core that another process shares, and a loop that waits now and then, never reach 100 %.
FULL_CORES = 0.9
FULL_PROCESS = 0.85
NAMED_GROUPS = 3
# All else is Python with its one lock, or one thread by design: more than a core it cannot use.
MANY_THREADED = ("mysqld", "haproxy", "prometheus")


def limit_of(load: Load) -> str:
    """Name the limit in one sentence."""
    busy = load.busy_seconds / load.capacity_seconds
    name, share = busiest_process(load)
    if busy >= FULL_CORES:
        return f"The cores: {busy:.0%} of {load.cores} were busy, {_largest_groups(load)}."
    if share >= FULL_PROCESS:
        return f"{name}, which kept one core {share:.0%} busy while {busy:.0%} of all {load.cores} were."
    disk = load.disk_wait_seconds / load.capacity_seconds
    return (
        f"Waiting, not computing: {busy:.0%} of {load.cores} cores were busy, {name} as the busiest process "
        f"used {share:.0%} of one, and {disk:.0%} of the time of the cores passed idle with a disk at work."
    )


def busiest_process(load: Load) -> tuple[str, float]:
    """Return the process nearest to its limit of one core, and how near it was."""
    bound = {name: usage for name, usage in load.usages.items() if usage.group not in MANY_THREADED}
    name = max(bound, key=lambda name: _share_of_a_core(bound[name], load))
    return name, _share_of_a_core(bound[name], load)


def _share_of_a_core(usage: Usage, load: Load) -> float:
    return usage.cpu_seconds / max(usage.processes, 1) / load.seconds


def _largest_groups(load: Load) -> str:
    groups = {**load.by_group(), "work that is not part of this": load.other_seconds}
    largest = sorted(groups, key=lambda name: -groups[name])[:NAMED_GROUPS]
    return ", ".join(f"{name} {groups[name] / load.busy_seconds:.0%}" for name in largest) + " of that"
