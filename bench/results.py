"""What a scenario hands over to the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.usage import Load


@dataclass(frozen=True)
class Figure:
    """One number, or a few that belong together, as people read them."""

    what: str
    value: str
    aim: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return f"{self.aim}: {'met' if self.met else 'missed'}" if self.aim else ""


@dataclass(frozen=True)
class Table:
    """Rows of text under a title of their own; the first row is the head."""

    title: str
    rows: Sequence[Sequence[str]]
    numbers_right: bool = True


@dataclass(frozen=True)
class Chart:
    """A picture beside the report."""

    file: str
    title: str
    svg: str


@dataclass(frozen=True)
class Run:
    """One measured run; `label` heads its column of the CPU table."""

    title: str
    label: str
    figures: Sequence[Figure]
    load: Load
    limit: str
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
