"""Sets of global transaction identifiers, as far as comparing members needs them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

Interval = tuple[int, int]
Source = tuple[str, str]  # server or group UUID and the tag, which is empty for most transactions

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}")
_INTERVAL = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class GtidSet:
    """An immutable set of transactions: per source, sorted intervals that neither touch nor overlap."""

    sources: tuple[tuple[Source, tuple[Interval, ...]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what MySQL prints: `uuid:1-3:5:tag:1-2,uuid:1`."""
        return cls._of(_parts("".join(text.split()).lower()))

    @classmethod
    def _of(cls, parts: Iterable[tuple[Source, Interval]]) -> Self:
        collected: dict[Source, list[Interval]] = defaultdict(list)
        for source, interval in parts:
            collected[source].append(interval)
        return cls(tuple(sorted((source, _merged(found)) for source, found in collected.items())))

    def _intervals(self) -> Iterator[tuple[Source, Interval]]:
        return ((source, interval) for source, intervals in self.sources for interval in intervals)

    def __or__(self, other: "GtidSet") -> "GtidSet":
        return GtidSet._of([*self._intervals(), *other._intervals()])

    def __sub__(self, other: "GtidSet") -> "GtidSet":
        theirs = dict(other.sources)
        return GtidSet._of(
            (source, rest)
            for source, interval in self._intervals()
            for rest in _without(interval, theirs.get(source, ()))
        )

    def __ge__(self, other: "GtidSet") -> bool:
        return not other - self

    def __bool__(self) -> bool:
        return bool(self.sources)

    def __str__(self) -> str:
        return ",".join(
            ":".join([uuid, *([tag] if tag else []), *map(_interval_text, intervals)])
            for (uuid, tag), intervals in self.sources
        )


def _parts(text: str) -> Iterator[tuple[Source, Interval]]:
    for group in filter(None, text.split(",")):
        uuid, *fields = group.split(":")
        if not _UUID.fullmatch(uuid):
            raise ValueError(f"not a GTID set: {text!r}")
        tag = ""
        for field in fields:
            interval = _INTERVAL.fullmatch(field)
            if interval:
                first = int(interval[1])
                yield (uuid, tag), (first, int(interval[2] or first))
            elif _TAG.fullmatch(field):
                tag = field
            else:
                raise ValueError(f"not a GTID set: {text!r}")


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def _without(interval: Interval, holes: Iterable[Interval]) -> Iterator[Interval]:
    first, last = interval
    for hole_first, hole_last in holes:
        if hole_last < first or hole_first > last:
            continue
        if first < hole_first:
            yield first, hole_first - 1
        first = hole_last + 1
    if first <= last:
        yield first, last


def _interval_text(interval: Interval) -> str:
    first, last = interval
    return str(first) if first == last else f"{first}-{last}"
