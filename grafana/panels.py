"""The kinds of panels that the dashboards use: each has a title, a meaning, a unit and its queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TypeVar

from grafana_foundation_sdk.builders import common, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
TILE_HEIGHT, GRAPH_HEIGHT = 3, 7

Panel = stat.Panel | timeseries.Panel | table.Panel | statetimeline.Panel
AnyPanel = TypeVar("AnyPanel", stat.Panel, timeseries.Panel, table.Panel, statetimeline.Panel)
Colours = Sequence[tuple[float | None, str]]  # from which value on; None: from the lowest

PLAIN: Colours = ((None, "blue"),)
OUTCOMES = {
    "succeeded": "green",
    "failed": "red",
    "retrying": "orange",
    "cancelled": "purple",
    "skipped": "blue",
    "lost_lease": "yellow",
}


def above(*, orange: float | None = None, red: float | None = None) -> Colours:
    """Colour what should be low."""
    return (None, "green"), *(
        (at, color) for at, color in ((orange, "orange"), (red, "red")) if at is not None
    )


def below(*, orange: float | None = None, red: float) -> Colours:
    """Colour what should be high: a value that reaches the last limit is green."""
    return (
        (None, "red"),
        *([(red, "orange")] if orange is not None else []),
        (red if orange is None else orange, "green"),
    )


@dataclass(frozen=True)
class Column:
    """One figure per row of a table."""

    title: str
    unit: str
    query: str
    decimals: int | None = None


def tile(
    title: str,
    meaning: str,
    unit: str,
    query: str,
    colours: Colours = PLAIN,
    *,
    decimals: int | None = None,
    words: Mapping[int, str] | None = None,
    otherwise: str = "",
    name: str = "",
    runbook: str = "",
    wide: int = 3,
) -> stat.Panel:
    """Show one figure as it is now, large, or instead of the figure the name of its series."""
    panel = stat.Panel().graph_mode(looks.BigValueGraphMode.NONE).color_mode(looks.BigValueColorMode.VALUE)
    panel.with_target(_target(query).instant().legend_format(name))
    if name:
        panel.text_mode(looks.BigValueTextMode.NAME)
    panel.thresholds(_thresholds(colours)).color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    if words:
        panel.mappings([_words(words)])
    if unit == "short":
        decimals = 0  # Prometheus extrapolates what grew, and people count tasks in whole ones
    if decimals is not None:
        panel.decimals(decimals)
    if otherwise:
        panel.no_value(otherwise)
    return _described(panel, title, meaning, unit, runbook).height(TILE_HEIGHT).span(wide)


def graph(
    title: str,
    meaning: str,
    unit: str,
    series: Mapping[str, str],
    *,
    stacked: bool = False,
    steps: bool = False,
    limit: float | None = None,
    colours: Mapping[str, str] | None = None,
    runbook: str = "",
    wide: int = 8,
) -> timeseries.Panel:
    """Draw lines over time; `series` maps legends to queries, `colours` some of them to a colour."""
    panel = timeseries.Panel().line_width(1).min(0).show_points(looks.VisibilityMode.NEVER)
    for letter, (legend, query) in zip(ascii_uppercase, series.items(), strict=False):
        panel.with_target(_target(query, letter).range().legend_format(legend))
    panel.fill_opacity(30 if stacked else 8)
    for legend, color in (colours or {}).items():
        fixed = {"mode": FieldColorModeId.FIXED, "fixedColor": color}
        panel.override_by_name(legend, [DynamicConfigValue(id_val="color", value=fixed)])
    if stacked:
        panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    if steps:
        panel.line_interpolation(looks.LineInterpolation.STEP_AFTER)
    if limit is not None:
        panel.thresholds(_thresholds(((None, "transparent"), (limit, "red"))))
        panel.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(looks.GraphThresholdsStyleMode.DASHED)
        )
    panel.legend(
        common.VizLegendOptions()
        .display_mode(looks.LegendDisplayMode.LIST)
        .placement(looks.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )
    panel.tooltip(
        common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING)
    )
    return _described(panel, title, meaning, unit, runbook).height(GRAPH_HEIGHT).span(wide)


def timeline(
    title: str,
    meaning: str,
    series: Mapping[str, str],
    states: Mapping[int, tuple[str, str]],
    *,
    runbook: str = "",
    wide: int = 12,
) -> statetimeline.Panel:
    """Draw states over time; `states` maps values to a word and a colour."""
    panel = statetimeline.Panel().show_value(looks.VisibilityMode.NEVER).merge_values(True)
    panel.row_height(0.8).fill_opacity(70).line_width(0)
    for letter, (legend, query) in zip(ascii_uppercase, series.items(), strict=False):
        panel.with_target(_target(query, letter).range().legend_format(legend))
    words = {value: word for value, (word, _) in states.items()}
    panel.mappings([_words(words, {value: color for value, (_, color) in states.items()})])
    panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    return _described(panel, title, meaning, "short", runbook).height(GRAPH_HEIGHT).span(wide)


def rows_by(label: str, title: str, meaning: str, columns: Sequence[Column]) -> table.Panel:
    """List figures as they are now, one row for each value of a label."""
    panel = table.Panel().align(looks.FieldTextAlignment.AUTO)
    names = {}
    for letter, column in zip(ascii_uppercase, columns, strict=False):
        panel.with_target(_target(column.query, letter).instant().format(PromQueryFormat.TABLE))
        settings = [DynamicConfigValue(id_val="unit", value=column.unit)]
        if column.decimals is not None:
            settings.append(DynamicConfigValue(id_val="decimals", value=column.decimals))
        panel.override_by_name(column.title, settings)
        names[f"Value #{letter}"] = column.title
    panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(_organized((label, *names), hidden=("Time",), renamed=names))
    return _described(panel, title, meaning, "short", "").height(GRAPH_HEIGHT).span(24)


def alerts(title: str, meaning: str, query: str, *, wide: int) -> table.Panel:
    """List what fires, each with the way to its runbook."""
    panel = table.Panel().no_value("Nothing fires.").align(looks.FieldTextAlignment.AUTO)
    panel.with_target(_target(query).instant().format(PromQueryFormat.TABLE))
    panel.with_transformation(_organized(("alertname", "severity", "namespace"), hidden=("Time", "Value")))
    link = runbook_link("${__data.fields.alertname}").build()
    panel.override_by_name("alertname", [DynamicConfigValue(id_val="links", value=[link])])
    return _described(panel, title, meaning, "short", "").height(GRAPH_HEIGHT).span(wide)


def runbook_link(alert: str) -> DashboardLink:
    """Lead to what to do; the chart puts the address in."""
    return (
        DashboardLink(f"Runbook: {alert}")
        .type(DashboardLinkType.LINK)
        .url(f"${{runbooks}}/{alert}.md")
        .target_blank(True)
    )


def _described(panel: AnyPanel, title: str, meaning: str, unit: str, runbook: str) -> AnyPanel:
    panel.title(title).description(meaning).unit(unit).datasource(SOURCE)
    if runbook:
        panel.links([runbook_link(runbook)])
    return panel


def _target(query: str, letter: str = "A") -> Dataquery:
    return Dataquery().expr(query).ref_id(letter)


def _thresholds(colours: Colours) -> ThresholdsConfig:
    steps = [Threshold(value=value, color=color) for value, color in colours]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _words(words: Mapping[int, str], colours: Mapping[int, str] | None = None) -> ValueMap:
    shown = {
        str(value): ValueMappingResult(text=word, color=(colours or {}).get(value), index=place)
        for place, (value, word) in enumerate(words.items())
    }
    return ValueMap(options=shown)


def _organized(
    order: Sequence[str], *, hidden: Sequence[str], renamed: Mapping[str, str] | None = None
) -> DataTransformerConfig:
    options = {
        "excludeByName": dict.fromkeys(hidden, True),
        "indexByName": {name: place for place, name in enumerate(order)},
        "renameByName": dict(renamed or {}),
    }
    return DataTransformerConfig(id_val="organize", options=options)
