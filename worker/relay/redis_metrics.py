"""What Redis last said of itself."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Fact(NamedTuple):
    """A metric and the line of INFO that has its value."""

    metric: str
    meaning: str
    line: str


GAUGES = (
    Fact("redis_memory_used_bytes", "Memory Redis uses", "used_memory"),
    Fact("redis_memory_max_bytes", "Memory Redis may use, 0 if unlimited", "maxmemory"),
    Fact("redis_connected_clients", "Connections that clients have to Redis", "connected_clients"),
    Fact("redis_uptime_seconds", "Time since Redis started", "uptime_in_seconds"),
    Fact("redis_aof_enabled", "1 if Redis writes an append-only file", "aof_enabled"),
    Fact(
        "redis_aof_last_write_ok",
        "1 if the last write of the append-only file succeeded",
        "aof_last_write_status",
    ),
    # It may call writes good and keep none: until a first rewrite has succeeded, there are none to keep.
    Fact(
        "redis_aof_last_rewrite_ok",
        "1 if the last rewrite of that file succeeded",
        "aof_last_bgrewrite_status",
    ),
    Fact("redis_aof_rewrite_in_progress", "1 while that file is being rewritten", "aof_rewrite_in_progress"),
    Fact("redis_aof_size_bytes", "Size of that file, 0 if there is none", "aof_current_size"),
)
COUNTERS = (
    Fact(
        "redis_evicted_keys_total",
        "Keys that Redis threw away for want of memory; must stay 0",
        "evicted_keys",
    ),
)


class RedisMetrics(Collector):
    """Shows the last answer, also while there is no new one; `redis_up` tells which of both it is."""

    def __init__(self) -> None:
        self._is_up = False
        self._info: Mapping[str, Any] = {}

    def show(self, info: Mapping[str, Any]) -> None:
        """Show an answer to INFO."""
        self._is_up, self._info = True, info

    def show_down(self) -> None:
        """Show that Redis did not answer."""
        self._is_up = False

    def collect(self) -> Iterator[Metric]:
        """Return what is known as metrics."""
        yield GaugeMetricFamily("redis_up", "1 if Redis answered the last question", value=self._is_up)
        for fact in GAUGES:
            yield GaugeMetricFamily(fact.metric, fact.meaning, value=self._value(fact))
        for fact in COUNTERS:
            yield CounterMetricFamily(fact.metric, fact.meaning, value=self._value(fact))

    def _value(self, fact: Fact) -> float:
        said = self._info.get(fact.line, 0)
        return float(said == "ok") if isinstance(said, str) else float(said)
