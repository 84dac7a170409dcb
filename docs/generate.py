"""Renew generated tables and dashboards: `python -m docs.generate`, or `make docs`."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.main import create_app
from app.settings import Settings
from docs import alerts, capacity
from docs.catalogue import LABELS, MetricEntry, catalogue
from docs.metric_uses import ROOT, Asker, uses
from docs.tables import table
from grafana import generate as dashboards

README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
CHART = ROOT / "charts" / "conveyor"
SCALING = ROOT / "docs" / "scaling.md"
METRICS = ROOT / "docs" / "metrics.md"
METHODS = ("get", "post", "put", "patch", "delete")


def configuration_table() -> str:
    """Return every setting with its default and its meaning."""
    fields = Settings.model_fields.items()
    return table(
        ("Variable", "Default", "Meaning"),
        ((f"`{name.upper()}`", _default(field), field.description or "") for name, field in fields),
    )


def endpoints_table() -> str:
    """Return every endpoint of the OpenAPI document with what it does."""
    settings = Settings(db_password=SecretStr("unused"), secret_key=SecretStr("unused-unused-unused"))
    paths: Mapping[str, Mapping[str, Any]] = create_app(settings).openapi()["paths"]
    return table(
        ("Endpoint", "What it does"),
        (
            (f"`{method.upper()} {path}`", operations[method]["description"])
            for path, operations in sorted(paths.items())
            for method in METHODS
            if method in operations
        ),
    )


def alerts_table() -> str:
    """Return every alert with its runbook."""
    return table(("Alert, and its runbook", "Severity", "What it says", "After"), alerts.rows())


def values_table() -> str:
    """Return every value of the chart with its default and its meaning."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    rows = (
        (f"`{'.'.join(path)}`", f"`{json.dumps(default)}`", meaning)
        for path, default, meaning in _described(schema, schema, values)
    )
    return table(("Value", "Default", "Meaning"), rows)


def metrics_table() -> str:
    """Return every metric with who exports it and who asks for it."""
    askers = uses()
    head = ("Metric", "Type", "Labels", "Unit", "Meaning", "Exported by", "Used by")
    return table(head, (_metric_row(entry, askers) for entry in catalogue()))


def _metric_row(entry: MetricEntry, askers: Mapping[str, list[Asker]]) -> tuple[str, ...]:
    asking = sorted({who for sample in entry.samples for who in askers.get(sample, ())})
    alerting = [alerts.runbook_link(who.name) for who in asking if who.kind == "alert"]
    others = [f"`{who.name}`" for who in asking if who.kind != "alert"]
    labels = ", ".join(f"`{label}`" for label in entry.labels)
    exported_by = ", ".join(entry.exported_by)
    users = ", ".join((*alerting, *others))
    return f"`{entry.name}`", entry.kind, labels, entry.unit, entry.meaning, exported_by, users


def labels_table() -> str:
    """Return every label with what bounds its values."""
    return table(("Label", "Its values are"), ((f"`{label}`", bound) for label, bound in LABELS.items()))


def _described(
    schema: Mapping[str, Any], part: Mapping[str, Any], default: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object, str]]:
    """Find the values that the schema describes, down to those that are empty or Kubernetes' own."""
    properties = _resolved(schema, part).get("properties", {})
    inner = {name: found for name, found in properties.items() if "description" in found}
    if path and not (inner and default):
        yield path, default, part["description"]
        return
    inner_default = cast("Mapping[str, object]", default)
    for name, found in inner.items():
        yield from _described(schema, found, inner_default.get(name, {}), (*path, name))


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = next((one["$ref"] for one in part.get("allOf", [])), None)
    found: Mapping[str, Any] = schema["definitions"][reference.rpartition("/")[2]] if reference else part
    return found


TABLES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    README: {"configuration": configuration_table, "endpoints": endpoints_table},
    OPERATIONS: {"alerts": alerts_table},
    CHART / "README.md": {"values": values_table},
    SCALING: {"needs": capacity.needs_table, "ends": capacity.ends_table},
    METRICS: {"metrics": metrics_table, "labels": labels_table},
}


def renewed(text: str, tables: Mapping[str, Callable[[], str]] = TABLES[README]) -> str:
    """Return the text with its tables as they should be.

    Raises:
        ValueError: a marker is missing.
    """
    for name, write in tables.items():
        text = _replace(text, name, write())
    return text


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined:
        return "the host name"
    if field.default is None:
        return "unset"
    if field.default == ():
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _replace(text: str, name: str, written: str) -> str:
    begin, end = f"<!-- {name}: written by `make docs` -->", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the document must contain {begin} and {end}")
    return f"{before}{begin}\n{written}\n{end}{after}"


def main() -> None:
    """Rewrite dashboards and documents in place."""
    # first, as the table of metrics names the dashboards that ask for each
    dashboards.main()
    for document, tables in TABLES.items():
        document.write_text(renewed(document.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
