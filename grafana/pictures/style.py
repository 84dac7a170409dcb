"""Colours and sizes; the names of colours are Grafana's."""

from collections.abc import Mapping

PAGE, PANEL, BORDER = "#111217", "#181b1f", "#2a2d33"
TEXT, MUTED, GRID = "#d8d9e0", "#8e8f99", "#2a2d33"
NAMED: Mapping[str, str] = {
    "green": "#73bf69",
    "orange": "#ff9830",
    "red": "#f2495c",
    "dark-red": "#c4162a",
    "blue": "#5794f2",
    "purple": "#b877d9",
    "yellow": "#f2cc0c",
    "text": TEXT,
}
SERIES = (
    *("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#ffa6b0"),
    *("#3fb8af", "#c8f2c2", "#ffcb7d", "#a352cc"),
)
# of one cell of Grafana's grid, with the gap that follows it, in points
CELL_WIDTH, CELL_HEIGHT, GAP = 40.0, 25.0, 5.0
# how wide a letter is, as a share of its height; an estimate to lay out words by
LETTER = 0.56
COLUMNS = 24
HEADER = 46.0
PADDING = 10.0
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE, FIGURE_SIZE = 8.5, 7.5, 6.8, 19.0
DOTS_PER_POINT = 1.8
POINTS_PER_INCH = 72.0
