"""Questions to a Prometheus, with the variables of a dashboard replaced as Grafana would."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

TIMEOUT_SECONDS = 10.0
# Grafana: four times the pause between two scrapes, so that a rate has samples even when one scrape failed
SCRAPES_OF_A_RATE = 4


@dataclass(frozen=True)
class Window:
    """The time that is shown, as seconds since 1970."""

    start: float
    end: float
    step: float = 5.0
    scrape_interval: float = 5.0

    @property
    def built_in(self) -> dict[str, str]:
        rate = max(self.step + self.scrape_interval, SCRAPES_OF_A_RATE * self.scrape_interval)
        return {
            "__rate_interval": f"{rate:.0f}s",
            "__range": f"{self.end - self.start:.0f}s",
            "__interval": f"{self.step:.0f}s",
        }


@dataclass(frozen=True)
class Query:
    """One query of one panel, or of an annotation."""

    panel: str
    expression: str
    legend: str
    instant: bool


def queries(dashboard: Mapping[str, Any]) -> Iterator[Query]:
    """Return every query of a dashboard."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield Query(
                panel["title"],
                target["expr"],
                target.get("legendFormat", ""),
                bool(target.get("instant")),
            )
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield Query(annotation["name"], annotation["expr"], "", instant=False)


def variables(dashboard: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a dashboard as they are when "All" is chosen."""
    listed = dashboard["templating"]["list"]
    chosen = {variable["name"]: variable["allValue"] for variable in listed if variable["includeAll"]}
    return chosen | {
        variable["name"]: variable["query"] for variable in listed if variable["type"] == "constant"
    }


def filled(expression: str, values: Mapping[str, str]) -> str:
    """Replace the variables that have a value; Grafana leaves the others alone."""
    return re.sub(r"\$(\w+)", lambda found: values.get(found[1], found[0]), expression)


class Prometheus:
    """The HTTP API of a Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url

    def series(self, query: Query, values: Mapping[str, str], window: Window) -> list[dict[str, Any]]:
        """Return what Grafana would get: each series with its labels and its values."""
        expression = filled(query.expression, {**values, **window.built_in})
        if query.instant:
            found = self._ask("/api/v1/query", {"query": expression, "time": window.end})
            return [{**one, "values": [one["value"]]} for one in found]
        edges = {"start": window.start, "end": window.end, "step": window.step}
        return self._ask("/api/v1/query_range", {"query": expression, **edges})

    def _ask(self, path: str, parameters: Mapping[str, str | float]) -> list[dict[str, Any]]:
        answer = httpx.post(f"{self._url}{path}", data=dict(parameters), timeout=TIMEOUT_SECONDS)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(f"Prometheus refuses {parameters['query']}: {body['error']}")
        result: list[dict[str, Any]] = body["data"]["result"]
        return result
