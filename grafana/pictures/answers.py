"""What Prometheus answered, ready to be drawn."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

LABEL = re.compile(r"{{(\w+)}}")


@dataclass(frozen=True)
class Line:
    """One series: its legend, its labels, and its values at the times they are of."""

    legend: str
    labels: Mapping[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def last(self) -> float:
        return self.values[-1] if self.values else math.nan


def lines(legend: str, series: list[dict[str, Any]]) -> Iterator[Line]:
    """Return each series with its legend as Grafana would write it."""
    for one in sorted(series, key=lambda found: sorted(found["metric"].items())):
        labels: dict[str, str] = one["metric"]
        text = LABEL.sub(partial(_label, labels), legend)
        times, values = zip(*((float(at), float(value)) for at, value in one["values"]), strict=True)
        yield Line(text, labels, times, values)


def starts(line: Line, step: float) -> list[float]:
    """Return when a series appeared, be it for the first time or again."""
    before = (-math.inf, *line.times)
    return [at for at, last in zip(line.times, before, strict=False) if at - last > step]


def _label(labels: Mapping[str, str], found: re.Match[str]) -> str:
    return labels.get(found[1], "")
