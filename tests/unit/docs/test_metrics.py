"""The catalogue of metrics: complete, current, and by Prometheus' conventions."""

import re

import pytest

from docs import catalogue as catalogue_module
from docs import metric_uses
from docs.catalogue import LABELS, MetricEntry, catalogue
from docs.generate import METRICS, TABLES, renewed
from docs.metric_uses import ELSEWHERE, Asker, expressions, recorded, uses
from docs.promql import metric_names

ENTRIES = catalogue()
NAMES = [entry.name for entry in ENTRIES]
SAMPLES = frozenset().union(*(entry.samples for entry in ENTRIES))
# what would have to be converted before it can be compared
OTHER_UNITS = re.compile(
    r"_(ms|milliseconds|micros|microseconds|minutes|hours|days|kb|mb|kilobytes|percent)(_|$)"
)
ENDINGS_OF_SAMPLES = ("_bucket", "_sum", "_count")


def test_the_table_is_current() -> None:
    text = METRICS.read_text(encoding="utf-8")
    assert renewed(text, TABLES[METRICS]) == text, "run `make docs` and commit docs/metrics.md"


def test_every_process_exports_something() -> None:
    processes = {process for entry in ENTRIES for process in entry.exported_by}
    assert processes == {"api", "worker", "relay", "agent", catalogue_module.IN_KUBERNETES}


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_names_follow_the_conventions(entry: MetricEntry) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", entry.name)
    assert not OTHER_UNITS.search(entry.name), "seconds and bytes"
    assert (entry.kind == "counter") == entry.name.endswith("_total")
    assert not entry.name.endswith(ENDINGS_OF_SAMPLES), "that looks like a part of a histogram"
    assert entry.kind in {"counter", "gauge", "histogram"}


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_the_meaning_is_a_line_of_text_that_begins_like_a_sentence(entry: MetricEntry) -> None:
    assert re.fullmatch(r"[A-Z1].*[^.\s]", entry.meaning)
    assert len(entry.meaning) < 100


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_every_label_has_a_bound(entry: MetricEntry) -> None:
    for label in entry.labels:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", label)
        assert label in LABELS, f"what bounds the values of {label}? Say so in docs/catalogue.py"
        assert not entry.name.startswith(f"{label}_{label}")


def test_no_label_is_explained_that_nothing_has() -> None:
    assert set(LABELS) == {label for entry in ENTRIES for label in entry.labels}


def test_every_metric_that_is_asked_for_is_exported() -> None:
    known = SAMPLES | recorded()
    missing = {
        f"{name} ({who.kind} {who.name})"
        for who, expression in expressions()
        for name in metric_names(expression)
        if name not in known and not ELSEWHERE.fullmatch(name)
    }
    assert missing == set()


def test_the_questions_in_the_text_ask_for_metrics_that_are_exported() -> None:
    [questions] = re.findall(r"```promql\n(.*?)```", METRICS.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for line in questions.splitlines() if line and not line.startswith("#")]
    asked = set().union(*map(metric_names, lines))
    assert len(asked) > 5
    assert asked <= SAMPLES


def test_alerts_and_dashboards_are_named_beside_what_they_ask_for() -> None:
    assert Asker("alert", "ConveyorRedisEvicts") in uses()["redis_evicted_keys_total"]
    table = METRICS.read_text(encoding="utf-8")
    [row] = [line for line in table.splitlines() if line.startswith("| `redis_evicted_keys_total` |")]
    assert "[ConveyorRedisEvicts](runbooks/ConveyorRedisEvicts.md)" in row


def test_who_asks_for_what_a_rule_records_asks_for_what_it_is_made_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record, alert = Asker("record", "job:x:rate5m"), Asker("alert", "TooMuchX")
    over_all, unused = Asker("record", "x:rate5m"), Asker("record", "nobody:x:rate5m")
    asked = [
        (record, "rate(x_total[5m])"),
        (over_all, "sum(job:x:rate5m)"),
        (alert, "x:rate5m > 1"),
        (unused, "x_total"),
    ]
    monkeypatch.setattr(metric_uses, "expressions", lambda: asked)

    assert uses()["x_total"] == [alert, unused]


def test_two_processes_must_mean_the_same_by_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    other = MetricEntry("queue_depth", "gauge", (), "Something else")
    monkeypatch.setattr(catalogue_module, "_registries", lambda: {"one": ("a",), "other": ("b",)})
    monkeypatch.setattr(
        catalogue_module,
        "_entries",
        lambda registry: [other if registry == "b" else MetricEntry("queue_depth", "gauge", (), "Depth")],
    )
    with pytest.raises(ValueError, match="queue_depth of other differs"):
        catalogue()


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (namespace, queue) (rate(tasks_total{outcome="failed"}[5m])) > 0.5', {"tasks_total"}),
        ("a_total / on (pod) group_left (x, y) b_total and not_it{x=~'c_total|}'} offset 5m", None),
        (
            "histogram_quantile(0.9, sum(rate(t_bucket[1h])) by (le)) unless on () absent(up)",
            {"t_bucket", "up"},
        ),
        ("time() - max(job:latency:rate5m) > bool 1e3", {"job:latency:rate5m"}),
        ('sum(x_total{a="y_total"}) / inf', {"x_total"}),
        ('label_replace(x_total, "a", "$1", "b", "(.*)")', {"x_total"}),
    ],
)
def test_the_names_in_an_expression_are_found(expression: str, names: set[str] | None) -> None:
    assert metric_names(expression) == (names or {"a_total", "b_total", "not_it"})
