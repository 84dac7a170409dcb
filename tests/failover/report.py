"""The tables of a long run: what each kind of failure cost, and the goals."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.percentiles import percentiles
from bench.tables import for_terminal
from tests.failover.system import Outcome

HEAD = ("failure", "times", "no writes p50 s", "max s", "whole max s", "refused", "slowest write s", "lost")
KILLED = "no writes after kill -9 of the primary"


@dataclass(frozen=True)
class Goal:
    """A number that is aimed at, and what was seen; None if nothing was."""

    what: str
    aim: float
    seen: float | None
    samples: int

    @property
    def is_met(self) -> bool:
        return self.seen is not None and self.seen <= self.aim


def goals(
    kills: Sequence[Outcome], stops: Sequence[Outcome], rolls: Sequence[Outcome], faults: Sequence[Outcome]
) -> list[Goal]:
    """Compare what was seen with what is aimed at."""
    recovery = [one.longest_pause for one in kills]
    everything = [*kills, *stops, *rolls, *faults]
    return [
        Goal(f"{KILLED}, p50, s", 8, _middle(recovery), len(recovery)),
        Goal(f"{KILLED}, max, s", 12, max(recovery, default=None), len(recovery)),
        Goal(
            "no writes until another has taken over from a primary stopped in order, max, s",
            3,
            max((one.pause_meanwhile for one in stops), default=None),
            len(stops),
        ),
        Goal(
            "writes refused in a rolling restart of all members, total, s",
            3,
            max((one.refused_seconds for one in rolls), default=None),
            len(rolls),
        ),
        Goal("acknowledged writes lost", 0, sum(one.lost for one in everything), len(everything)),
        Goal("broken promises of any kind", 0, sum(len(one.broken) for one in everything), len(everything)),
    ]


def goal_table(found: Sequence[Goal]) -> str:
    rows = [("goal", "aim", "seen", "of", "")]
    for goal in found:
        verdict = "met" if goal.is_met else "MISSED"
        rows.append((goal.what, f"<= {goal.aim:g}", _number(goal.seen), str(goal.samples), verdict))
    return for_terminal(rows, numbers_right=True)


def _number(seen: float | None) -> str:
    if seen is None:
        return "-"
    return f"{seen:g}" if float(seen).is_integer() else f"{seen:.1f}"


def cost_table(outcomes: Sequence[Outcome]) -> str:
    by_case: Mapping[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_case[outcome.case].append(outcome)
    rows = [HEAD, *(_row(case, found) for case, found in sorted(by_case.items())), _row("all", outcomes)]
    return for_terminal(rows, numbers_right=True)


def broken_promises(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"{outcome.case}: {promise}" for outcome in outcomes for promise in outcome.broken]


def _row(case: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    pauses = [one.longest_pause for one in outcomes]
    return (
        case,
        str(len(outcomes)),
        f"{_middle(pauses) or 0:.1f}",
        f"{max(pauses, default=0):.1f}",
        f"{max((one.whole_after for one in outcomes), default=0):.1f}",
        str(sum(one.refused for one in outcomes)),
        f"{max((one.slowest_write for one in outcomes), default=0):.1f}",
        str(sum(one.lost for one in outcomes)),
    )


def _middle(samples: Sequence[float]) -> float | None:
    return percentiles(samples).p50 if samples else None
