"""The middle, the tail and the worst of some samples."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Percentiles(NamedTuple):
    p50: float
    p99: float
    largest: float


def percentiles(samples: Sequence[float]) -> Percentiles:
    if not samples:
        raise ValueError("no samples: nothing was measured")
    if len(samples) == 1:
        return Percentiles(samples[0], samples[0], samples[0])
    # inclusive: the samples are all there is, so nothing lies outside of them
    cuts = statistics.quantiles(samples, n=100, method="inclusive")
    return Percentiles(cuts[49], cuts[98], max(samples))
