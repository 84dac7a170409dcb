"""Which workers there are, as they said in Redis."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.cluster.service import ALIVE_SECONDS


class WorkerMetrics(Collector):
    """Has no series of a worker that is forgotten: the names of pods never come again."""

    def __init__(self) -> None:
        self._ages: Mapping[str, float] = {}

    def show(self, ages: Mapping[str, float]) -> None:
        """Show for how long each worker has been silent."""
        self._ages = ages

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the last look as metrics."""
        ages = self._ages
        alive = sum(age < ALIVE_SECONDS for age in ages.values())
        yield GaugeMetricFamily(
            "workers_alive", f"Workers that spoke up in the last {ALIVE_SECONDS} s", value=alive
        )
        family = GaugeMetricFamily(
            "worker_heartbeat_age_seconds",
            "Time since a worker spoke up; after five minutes it is forgotten",
            labels=["worker"],
        )
        for worker, age in sorted(ages.items()):
            family.add_metric([worker], age)
        yield family
