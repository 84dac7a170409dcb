"""The few shapes of queries that the dashboards are made of."""

# On one machine nothing has a namespace: the variable is `.*` then, which an absent label matches too.
OF_NAMESPACE = 'namespace=~"$namespace"'
# Others call their metrics `http_requests_total` and `redis_up` as well.
OURS = 'conveyor_component!=""'
# A process is known by its pod in Kubernetes, by its part on one machine; an absent label shows as nothing.
PART = ("pod", "part")
PART_LEGEND = "{{pod}}{{part}}"
MEMBER = ("pod", "member")
MEMBER_LEGEND = "{{pod}}{{member}}"


def select(metric: str, where: str = "") -> str:
    """Return a metric of Conveyor's processes in the chosen namespace."""
    return f"{metric}{{{', '.join(filter(None, (OF_NAMESPACE, OURS, where)))}}}"


def highest(metric: str, *by: str, where: str = "") -> str:
    """Return a gauge that several processes see alike, such as the depth of a queue."""
    return f"{maximum(*by)} ({select(metric, where)})"


def maximum(*by: str) -> str:
    """Return the aggregation that takes the largest of each group."""
    return f"max{_by(by)}"


def lowest(metric: str, *by: str, where: str = "") -> str:
    """Return a gauge by the one who sees it worst."""
    return f"min{_by(by)} ({select(metric, where)})"


def total(metric: str, *by: str, where: str = "") -> str:
    """Return the sum of a gauge that each process has a part of."""
    return f"sum{_by(by)} ({select(metric, where)})"


def per_second(counter: str, *by: str, where: str = "") -> str:
    """Return how fast a counter grows."""
    return f"sum{_by(by)} (rate({select(counter, where)}[$__rate_interval]))"


def grown(counter: str, *by: str, where: str = "", over: str = "$__range") -> str:
    """Return by how much a counter grew, by default in the whole time that is shown."""
    return f"sum{_by(by)} (increase({select(counter, where)}[{over}]))"


def quantile(share: float, histogram: str, *by: str, where: str = "", over: str = "$__rate_interval") -> str:
    """Return the value that a share of the observations stayed below."""
    buckets = per_bucket(histogram, *by, where=where, over=over)
    return f"histogram_quantile({share}, {buckets})"


def per_bucket(histogram: str, *by: str, where: str = "", over: str = "$__rate_interval") -> str:
    """Return how fast the buckets of a histogram grow."""
    return f"sum{_by(('le', *by))} (rate({select(f'{histogram}_bucket', where)}[{over}]))"


def share(counter: str, kind: str, where: str = "") -> str:
    """Return which share of a counter's growth is of one kind; no data if it did not grow."""
    part = grown(counter, where=", ".join(filter(None, (where, kind))))
    return f"({or_nothing(part)}) / ({grown(counter, where=where)} > 0)"


def each(metric: str) -> str:
    """Return how many processes show a metric."""
    return f"count (count by (instance) ({select(metric)}))"


def or_nothing(expression: str) -> str:
    """Return 0 instead of no data: that nothing was counted is an answer."""
    return f"{expression} or vector(0)"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""
