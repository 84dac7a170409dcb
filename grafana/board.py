"""What all dashboards have in common: variables, links to each other, marks of failovers."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from grafana.panels import SOURCE, Panel
from grafana.promql import MEMBER, MEMBER_LEGEND, grown

TAG = "conveyor"
# the chart puts its own values in their place
CONSTANTS = {"runbooks": "docs/runbooks", "task_seconds": "60"}
ALL = models.VariableOption(text="All", value="$__all", selected=True)
# what an absent label matches too: on one machine nothing has a namespace
ANYTHING = ".*"
# Grafana asks for annotations once for each minute that is shown
MARK = "1m"


class Row:
    """Panels under a heading; the widths of those that lie beside each other add up to 24."""

    def __init__(self, title: str, *panels: Panel) -> None:
        self.title = title
        self.panels = panels


@dataclass(frozen=True)
class Board:
    """One dashboard; its uid stays what it is, as bookmarks hold it."""

    uid: str
    title: str
    meaning: str
    rows: Sequence[Row]
    choices: Sequence[builders.QueryVariable] = ()

    def build(self) -> models.Dashboard:
        board = builders.Dashboard(f"Conveyor / {self.title}").uid(self.uid).description(self.meaning)
        board.tags([TAG]).timezone("utc").refresh("30s").time("now-1h", "now")
        board.tooltip(models.DashboardCursorSync.CROSSHAIR).editable().link(_siblings())
        board.with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        for variable in (choice("namespace", "Namespace", "queue_depth"), *self.choices):
            board.with_variable(variable)
        for name, value in CONSTANTS.items():
            board.with_variable(_constant(name, value))
        board.annotation(_failovers())
        for row in self.rows:
            board.with_row(builders.Row(row.title))
            for panel in row.panels:
                board.with_panel(panel)
        return _numbered(board.build())


def choice(label: str, title: str, metric: str) -> builders.QueryVariable:
    """Let the reader choose among the values of a label; all of them at first."""
    where = "" if label == "namespace" else '{namespace=~"$namespace"}'
    return (
        builders.QueryVariable(label)
        .label(title)
        .datasource(SOURCE)
        .query(f"label_values({metric}{where}, {label})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .include_all(True)
        .all_value(ANYTHING)
        .multi(label != "namespace")
        .current(ALL)
    )


def _constant(name: str, value: str) -> builders.ConstantVariable:
    variable = builders.ConstantVariable(name).value(value)
    variable.build().hide = models.VariableHide.HIDE_VARIABLE
    return variable


def _siblings() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Conveyor")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


class _Marks(models.AnnotationQuery):
    """Events that a query finds; their words belong to Prometheus' plugin, whose schema the library lacks."""

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "titleFormat": f"{MEMBER_LEGEND} became the primary"}


class _MarksBuilder(builders.AnnotationQuery):
    def __init__(self) -> None:
        self._internal = _Marks()


def _failovers() -> builders.AnnotationQuery:
    return (
        _MarksBuilder()
        .name("Failovers")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("purple")
        .expr(f"{grown('mysql_agent_promotions_total', *MEMBER, over=MARK)} > 0")
    )


def _numbered(board: models.Dashboard) -> models.Dashboard:
    for number, panel in enumerate(board.panels or (), start=1):
        panel.id_val = number
    return board
