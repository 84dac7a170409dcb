"""Whoever is called by an alert learns what it is about, and finds a page that helps."""

import re
from pathlib import Path

import pytest

from docs.alerts import RUNBOOKS, Alert, alerts
from docs.generate import OPERATIONS, TABLES, renewed
from grafana.generate import FOLDER

HEADINGS = ["What it means", "What users feel", "Find the cause", "Cure", "When it ends by itself"]
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
# that of which there is one only needs no label to be named
ONLY_ONES = (
    "component api",
    "component relay",
    "component worker",
    "Redis",
    "MySQL",
    "the API's",
    "outbox",
    "database",
)
NAMES = re.compile(r"\$labels\.(pod|part|member|worker|queue|task|reason|server|proxy|pool)\b")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {path.stem for path in PAGES} == {alert.name for alert in alerts()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_runbook_says_what_it_is_how_it_feels_and_what_cures_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    sections = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]
    assert all(len(section.strip()) > 10 for section in sections)
    cause = sections[HEADINGS.index("Find the cause")]
    assert re.search(r"\bIn Kubernetes:", cause)
    assert re.search(r"\bWith `make up`:", cause)
    assert "\n$ " in cause, "commands, as they are typed"
    # the local Prometheus serves these files as templates
    assert "{{" not in text


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_an_alert_says_how_urgent_it_is_what_it_is_about_and_where_to_read_on(alert: Alert) -> None:
    assert alert.severity in {"critical", "warning"}
    assert len(alert.summary) > 15
    assert NAMES.search(alert.description) or any(name in alert.description for name in ONLY_ONES)
    assert alert.runbook == f"docs/runbooks/{alert.name}.md"


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_a_label_that_names_something_in_kubernetes_has_its_like_on_one_machine(alert: Alert) -> None:
    named = set(NAMES.findall(alert.description))
    if "pod" in named and alert.name != "ConveyorMysqlAgentAlone":  # of Kubernetes alone
        assert named & {"part", "member"}


def test_dashboards_link_to_runbooks_that_there_are() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json"))
    linked = set(re.findall(r"\$\{runbooks\}/(\w+)\.md", text))
    assert linked
    assert linked <= {page.stem for page in PAGES}


def test_an_alert_is_there_once_for_each_severity() -> None:
    known = [(alert.name, alert.severity) for alert in alerts()]
    assert len(known) == len(set(known))


def test_the_table_of_alerts_is_current() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    assert renewed(text, TABLES[OPERATIONS]) == text, "run `make docs` and commit docs/operations.md"
