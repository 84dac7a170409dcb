"""How full the pools of connections are."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, QueuePool


class PoolMetrics(Collector):
    """Looks at the pools when it is asked to, so that sessions pay nothing for it."""

    def __init__(self, engines: Mapping[str, Engine], limit: int) -> None:
        self._engines = engines
        self._limit = limit

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return what each pool holds at this moment."""
        connections = GaugeMetricFamily(
            "database_pool_connections", "Open connections of a pool", labels=["pool", "state"]
        )
        limit = GaugeMetricFamily(
            "database_pool_limit", "Most connections that a pool opens; more sessions wait", labels=["pool"]
        )
        for name, engine in self._engines.items():
            if isinstance(engine.pool, QueuePool):
                # The two numbers are not of the same instant, so for a moment one may be off.
                connections.add_metric([name, "in_use"], max(0, engine.pool.checkedout()))
                connections.add_metric([name, "idle"], engine.pool.checkedin())
                limit.add_metric([name], self._limit)
        yield connections
        yield limit
