"""The table of a run, for a terminal and for docs/reliability.md."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.percentiles import percentiles
from bench.tables import for_markdown, for_terminal
from tests.chaos.plan import Kind
from tests.chaos.recovery import Cost
from tests.chaos.verdict import Verdict, count

HEAD = (
    "fault",
    "times",
    "serving again p50 / max s",
    "caught up p50 / max s",
    "run again",
    "published again",
    "refused 503",
    "no answer",
    "nothing accepted for max s",
)
LEGEND = """\
- **serving again**: from the end of the fault (of a kill: from it) until a task sent later had succeeded.
- **caught up**: from the same moment until every task accepted before it had come to its end.
- **run again**: attempts beyond a task's first. **published again**: messages that a relay repeated.
- **refused**: answers `503`; **no answer**: broken connections, time-outs, other errors of the load balancer.
- **nothing accepted for**: the longest time in which somebody was refused and nobody was accepted.
- Where two faults happened at once, both rows count what was felt."""


@dataclass(frozen=True)
class Run:
    """All that a report tells."""

    system: str
    seed: int
    seconds: float
    requests: int
    uncertain: int
    verdict: Verdict
    costs: Sequence[tuple[Kind, Cost]]
    members: int
    notes: Sequence[str] = ()


def rows(costs: Sequence[tuple[Kind, Cost]]) -> list[list[str]]:
    by_kind: Mapping[Kind, list[Cost]] = defaultdict(list)
    for kind, cost in costs:
        by_kind[kind].append(cost)
    lines = [_row(kind.value, by_kind[kind]) for kind in Kind if by_kind[kind]]
    return [list(HEAD), *lines, _row("all", [cost for _, cost in costs])]


def summary(run: Run) -> list[list[str]]:
    verdict = run.verdict
    return [
        ["", run.system],
        ["seed", str(run.seed)],
        ["duration", f"{run.seconds / 60:.1f} min"],
        ["faults", str(len(run.costs))],
        ["requests", str(run.requests)],
        ["requests without a right answer", str(run.uncertain)],
        ["tasks accepted (202)", str(verdict.accepted)],
        ["lost", str(count(verdict.lost))],
        ["doubled", str(count(verdict.doubled))],
        ["done without having been accepted", str(count(verdict.unaccepted))],
        ["left open, in the ledger or in Redis", str(count(verdict.unsettled))],
    ]


def terminal_report(run: Run) -> str:
    return "\n\n".join(
        [
            for_terminal(rows(run.costs), numbers_right=True),
            for_terminal(summary(run)),
            *(["\n".join(f"! {line}" for line in _findings(run))] if _findings(run) else []),
        ]
    )


def markdown_report(run: Run) -> str:
    findings = "\n".join(f"- {line}" for line in _findings(run))
    blocks = [for_markdown(summary(run)), for_markdown(rows(run.costs), numbers_right=True), findings]
    return "\n\n".join(block for block in blocks if block) + "\n"


def renewed(page: str, run: Run) -> str:
    """Return a page with this run between the markers of its system; the run alone where there are none."""
    begin, end = f"<!-- {run.system} -->\n", f"<!-- end of {run.system} -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    return (
        f"{before}{begin}\n{markdown_report(run)}\n{end}{after}" if found and ended else markdown_report(run)
    )


def _findings(run: Run) -> list[str]:
    return [*map(str, run.verdict.violations), *run.notes]


def _row(name: str, costs: Sequence[Cost]) -> list[str]:
    again = [cost.serving_again for cost in costs if cost.serving_again is not None]
    return [
        name,
        str(len(costs)),
        _middle_and_most(again),
        _middle_and_most([cost.caught_up for cost in costs]),
        str(sum(cost.run_again for cost in costs)),
        str(sum(cost.published_again for cost in costs)),
        str(sum(cost.refused for cost in costs)),
        str(sum(cost.unanswered for cost in costs)),
        f"{max((cost.longest_pause for cost in costs), default=0.0):.1f}",
    ]


def _middle_and_most(samples: Sequence[float]) -> str:
    if not samples:
        return "-"
    found = percentiles(samples)
    return f"{found.p50:.1f} / {found.largest:.1f}"
