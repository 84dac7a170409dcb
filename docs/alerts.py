"""The alerts, read from the rules that the chart and the local Prometheus load."""

from collections.abc import Iterator
from dataclasses import dataclass

from docs.metric_uses import ROOT, rules

RUNBOOKS = ROOT / "docs" / "runbooks"


@dataclass(frozen=True)
class Alert:
    """A rule that fires; a name stands twice where the same trouble can be more and less urgent."""

    name: str
    severity: str
    summary: str
    description: str
    runbook: str
    expression: str
    after: str


def alerts() -> list[Alert]:
    """Return the alerts in the order of the rules."""
    return [
        Alert(
            name=rule["alert"],
            severity=rule["labels"]["severity"],
            summary=rule["annotations"]["summary"],
            description=rule["annotations"]["description"],
            runbook=rule["annotations"]["runbook_url"],
            expression=rule["expr"],
            after=rule.get("for", "at once"),
        )
        for rule in rules()
        if "alert" in rule
    ]


def runbook_link(name: str) -> str:
    """Return the name of an alert as a link from a page in docs."""
    return f"[{name}](runbooks/{name}.md)"


def rows() -> Iterator[tuple[str, ...]]:
    """Return what a person on call wants to know of each."""
    for alert in alerts():
        yield runbook_link(alert.name), alert.severity, alert.summary, alert.after
