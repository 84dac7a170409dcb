"""values.yaml, its schema, the README and the settings of the code say the same."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
import yaml

from app.settings import Settings
from app.version import VERSION
from chart.presets import PRESETS, Preset
from chart.rendering import CHART, ROOT, RenderError, default_values, render, schema
from docs.generate import TABLES, renewed

# what the chart itself sets, or what would put a password into plain sight
NOT_FOR_USERS = {
    "DB_TLS_CA",
    *("REDIS_HOST", "REDIS_PORT", "REDIS_DB", "REDIS_PASSWORD"),
    *(
        "DB_MASTER_HOST",
        "DB_SLAVE1_HOST",
        "DB_SLAVE2_HOST",
        "DB_MEMBERS",
        "DB_NAME",
        "DB_USER",
        "DB_PASSWORD",
    ),
    *("DB_ADMIN_USER", "DB_ADMIN_PASSWORD", "SECRET_KEY", "FLOWER_BASIC_AUTH", "SEED_DEMO_USERS"),
    *(
        "API_HOST",
        "API_PORT",
        "API_METRICS_PORT",
        "METRICS_HOST",
        "WORKER_METRICS_PORT",
        "RELAY_METRICS_PORT",
    ),
    *("FLOWER_HOST", "FLOWER_PORT", "FLOWER_EVENTS", "REPLICA_NAME", "WORKER_CONCURRENCY", "WORKER_QUEUES"),
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED"),
    *("WORKER_HEARTBEAT_FILE", "WORKER_READY_FILE", "BACKUP_MAX_AGE_HOURS"),
}
TEMPLATES = [
    *(CHART / "templates").rglob("*.yaml"),
    *(CHART / "templates").rglob("*.tpl"),
    CHART / "templates" / "NOTES.txt",
]
MOST_TEMPLATE_LINES = 2200
MOST_VALUES_LINES = 500
MOST_LINES_OF_A_TEMPLATE = 125


def resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = next((one["$ref"] for one in part.get("allOf", [])), None)
    found: Mapping[str, Any] = schema()["definitions"][reference.rpartition("/")[2]] if reference else part
    return found


def paths(part: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every value that the schema knows, by its path; a scheduling of its own is given key by key."""
    for name, found in resolved(part).get("properties", {}).items():
        yield f"{path}{name}", found
        if not (path and name == "scheduling") and name not in {"settings", "global"}:
            yield from paths(found, f"{path}{name}.")


def keys(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{path}{name}"
        if isinstance(value, dict):
            yield from keys(value, f"{path}{name}.")


def test_every_value_is_in_the_schema_and_every_one_of_the_schema_has_a_default() -> None:
    known = {path for path, _ in paths(schema())}
    shown = {
        path
        for path in keys(default_values())
        if not path.startswith(("workers.", "monitoring.dashboardLabels."))
    }
    in_resources = {path for path in shown if re.search(r"\.(requests|limits)\.\w+$", path)}
    assert shown - in_resources == known - {"global"}


def test_every_value_is_described() -> None:
    for path, found in paths(schema()):
        if not path.endswith((".requests", ".limits")):
            assert str(found.get("description", "")).endswith("."), path


def test_nothing_beside_what_is_known_is_let_through() -> None:
    assert schema()["additionalProperties"] is False
    for path, found in paths(schema()):
        if "properties" in resolved(found):
            assert resolved(found)["additionalProperties"] is False, path


@pytest.mark.parametrize("preset", PRESETS)
def test_the_schema_takes_what_the_laws_are_tested_with(preset: str) -> None:
    validator = jsonschema.Draft7Validator(schema())
    validator.check_schema(schema())
    validator.validate(dict(PRESETS[preset].values))
    for file in PRESETS[preset].files:
        validator.validate(yaml.safe_load((CHART / file).read_text(encoding="utf-8")))


def test_a_pool_takes_what_the_defaults_of_all_pools_take() -> None:
    properties = schema()["properties"]
    pool = properties["workers"]["additionalProperties"]["properties"]
    assert pool == properties["workerDefaults"]["properties"]


def test_every_setting_of_the_code_is_free_to_set_or_set_by_the_chart() -> None:
    free = set(schema()["properties"]["settings"]["properties"])
    fields = {name.upper() for name in Settings.model_fields}
    assert free | NOT_FOR_USERS == fields
    assert free & NOT_FOR_USERS == set()


def test_a_setting_reaches_the_processes_as_it_was_written() -> None:
    values = {"MAX_BODY_BYTES": 2097152, "READ_YOUR_WRITES_TIMEOUT_SECONDS": 0.25, "TASK_MODULES": "a.b,c"}
    data = render({"settings": values}).named()["ConfigMap/demo-conveyor-settings"]["data"]
    assert (data["MAX_BODY_BYTES"], data["READ_YOUR_WRITES_TIMEOUT_SECONDS"]) == ("2097152", "0.25")
    assert data["TASK_MODULES"] == "a.b,c"


def test_the_value_table_is_current() -> None:
    readme = CHART / "README.md"
    text = readme.read_text(encoding="utf-8")
    assert renewed(text, TABLES[readme]) == text, "run `make docs` and commit charts/conveyor/README.md"


def test_chart_and_image_are_of_the_version_of_the_code() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_the_chart_stays_small_enough_to_be_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in TEMPLATES}
    assert sum(lengths.values()) <= MOST_TEMPLATE_LINES
    assert {path.name for path, lines in lengths.items() if lines > MOST_LINES_OF_A_TEMPLATE} == set()
    assert len((CHART / "values.yaml").read_text(encoding="utf-8").splitlines()) <= MOST_VALUES_LINES


def test_every_value_is_used() -> None:
    text = "".join(
        path.read_text(encoding="utf-8") for path in [*TEMPLATES, *(CHART / "files").rglob("*.c*nf*")]
    )
    leaves = {path.rpartition(".")[2] for path, _ in paths(schema())}
    assert {leaf for leaf in leaves if not re.search(rf"\.{leaf}\b", text)} <= {
        # passed on as a whole
        *("requests", "limits", "cpu", "memory", "affinity", "default"),
    }


def test_two_renderings_are_equal(preset: Preset) -> None:
    first = preset.rendered().text
    render.__globals__["_rendered"].cache_clear()
    assert preset.rendered().text == first


@pytest.mark.parametrize("name", ["a.b", "Default", "-a", "a" * 20, ""])
def test_a_pool_that_cannot_be_part_of_a_name_is_refused(name: str) -> None:
    with pytest.raises(RenderError, match=r"values don't meet the specifications"):
        render({"workers": {name: {}}})


def test_the_documents_name_the_presets_that_exist() -> None:
    named = set(re.findall(r"values-\w+\.yaml", (CHART / "README.md").read_text(encoding="utf-8")))
    assert named == {path.name for path in CHART.glob("values-*.yaml")}
    assert (ROOT / "charts").is_dir()
