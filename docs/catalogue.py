"""Every metric there is, read from the collectors that the processes themselves put together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from pydantic import SecretStr

from app.context import ApiContext
from app.settings import Settings
from mysql_agent.metrics import KubernetesMetrics
from mysql_agent.metrics import Metrics as AgentMetrics
from worker.process import WorkerProcess
from worker.relay.process import RelayProcess

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

IN_KUBERNETES = "agent in Kubernetes"
# What bounds the values of each label; a label without a bound makes Prometheus grow for ever.
LABELS = {
    "decision": "what an agent can decide",
    "method": "the methods of HTTP; whatever else a client sends is `other`",
    "outcome": "how an attempt, a handover or a reload can end",
    "pool": "`primary`, and `replica-1` and `replica-2` where there are replicas",
    "queue": "the queues that tasks name, and the default one",
    "reason": "why a message is skipped or published again, or why an agent waits",
    "role": "`PRIMARY`, `SECONDARY`",
    "route": "the templates of the API's routes, never a path; `unmatched` if there is none",
    "state": "of a connection: `in_use`, `idle`; of a member: Group Replication's",
    "status": "the statuses of HTTP that the API answers with; 0 if the client left before",
    "table": "`tasks`, `requests`",
    "task": "the registered tasks",
    "worker": "the workers of the last five minutes",
}
UNITS = {"_timestamp_seconds": "Unix time", "_seconds": "seconds", "_bytes": "bytes", "_ratio": "ratio"}
TRUTHS = ("1 if ", "1 while ", "1 for ")
SAMPLES = {"histogram": ("_bucket", "_sum", "_count")}


@dataclass(frozen=True)
class MetricEntry:
    """A metric as Prometheus knows it; a counter's name has its `_total`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    exported_by: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """What one of it is."""
        if self.meaning.startswith(TRUTHS):
            return "0 or 1"
        return next((unit for suffix, unit in UNITS.items() if self.name.endswith(suffix)), "number")

    @property
    def samples(self) -> frozenset[str]:
        """The names by which expressions ask for it."""
        return frozenset(f"{self.name}{suffix}" for suffix in SAMPLES.get(self.kind, ("",)))


def catalogue() -> list[MetricEntry]:
    """Return all metrics by name.

    Raises:
        ValueError: two processes have different metrics of one name.
    """
    found: dict[str, MetricEntry] = {}
    for process, registries in _registries().items():
        for entry in (entry for registry in registries for entry in _entries(registry)):
            known = found.setdefault(entry.name, entry)
            if (known.kind, known.labels, known.meaning) != (entry.kind, entry.labels, entry.meaning):
                raise ValueError(f"{entry.name} of {process} differs from that of {known.exported_by}")
            processes = (*known.exported_by, process)
            found[entry.name] = MetricEntry(known.name, known.kind, known.labels, known.meaning, processes)
    return [found[name] for name in sorted(found)]


def _registries() -> Mapping[str, tuple[CollectorRegistry, ...]]:
    """Put each process together without starting it: nothing connects or listens before that."""
    unused = SecretStr("unused-unused-unused")
    settings = Settings(db_password=unused, secret_key=unused, worker_metrics_port=0)
    parent, relay, kubernetes = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
    worker = WorkerProcess(settings, parent)
    RelayProcess(settings, relay)
    KubernetesMetrics(kubernetes)
    return {
        "api": (ApiContext.build(settings).metrics_registry,),
        "worker": (parent, worker.shared_registry),
        "relay": (relay,),
        "agent": (AgentMetrics().registry,),
        IN_KUBERNETES: (kubernetes,),
    }


def _entries(registry: CollectorRegistry) -> Iterator[MetricEntry]:
    collectors: set[Collector] = set(registry._collector_to_names)  # noqa: SLF001 - there is no public way to ask
    for collector in collectors:
        families = [collector] if isinstance(collector, MetricWrapperBase) else collector.collect()
        for family in families:
            yield _entry(family)


def _entry(family: object) -> MetricEntry:
    """Read a metric object or a family that a collector made, which have the same facts under other names."""
    if isinstance(family, MetricWrapperBase):
        facts: tuple[object, ...] = (family._name, family._type, family._documentation)  # noqa: SLF001 - as above
    else:
        facts = tuple(getattr(family, fact) for fact in ("name", "type", "documentation"))
    name, kind, meaning = map(str, facts)
    meaning = meaning.rstrip(".")  # so ends what the library says of the process
    labels = tuple(getattr(family, "_labelnames", ()))
    return MetricEntry(f"{name}_total" if kind == "counter" else name, kind, labels, meaning)
