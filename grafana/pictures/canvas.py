"""A sheet with Grafana's grid: panels lie where the dashboard says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from grafana.pictures import style


@dataclass(frozen=True)
class Box:
    """A rectangle in points; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, left: float, top: float, right: float, bottom: float) -> "Box":
        """Return what is left without margins."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


class Canvas:
    """A figure that is measured in points from its upper left corner."""

    def __init__(self, rows: int) -> None:
        self.width = style.COLUMNS * style.CELL_WIDTH + 2 * style.PADDING - style.GAP
        self.height = rows * style.CELL_HEIGHT + style.HEADER + style.PADDING
        size = (self.width / style.POINTS_PER_INCH, self.height / style.POINTS_PER_INCH)
        self._figure = Figure(figsize=size, facecolor=style.PAGE)

    def place(self, grid: Mapping[str, int]) -> Box:
        """Return where a panel lies."""
        return Box(
            style.PADDING + grid["x"] * style.CELL_WIDTH,
            style.HEADER + grid["y"] * style.CELL_HEIGHT,
            grid["w"] * style.CELL_WIDTH - style.GAP,
            grid["h"] * style.CELL_HEIGHT - style.GAP,
        )

    def panel(self, box: Box) -> None:
        """Draw the ground of a panel."""
        self._figure.add_artist(
            FancyBboxPatch(
                (box.x / self.width, 1 - (box.y + box.height) / self.height),
                box.width / self.width,
                box.height / self.height,
                boxstyle="round,pad=0,rounding_size=0.002",
                mutation_aspect=self.width / self.height,
                facecolor=style.PANEL,
                edgecolor=style.BORDER,
                linewidth=0.6,
                zorder=-1,
            )
        )

    def write(self, x: float, y: float, text: str, **looks: Any) -> None:  # noqa: ANN401 - matplotlib's own
        """Write one line whose middle is at y."""
        looks = {"color": style.TEXT, "size": style.TEXT_SIZE, "va": "center_baseline", **looks}
        self._figure.text(x / self.width, 1 - y / self.height, text, **looks)

    def axes(self, box: Box) -> Axes:
        """Return axes that fill a box."""
        bounds = (
            box.x / self.width,
            1 - (box.y + box.height) / self.height,
            box.width / self.width,
            box.height / self.height,
        )
        return self._figure.add_axes(bounds, facecolor="none")

    def save(self, path: Path) -> None:
        """Write the picture."""
        self._figure.savefig(
            path,
            dpi=style.POINTS_PER_INCH * style.DOTS_PER_POINT,
            facecolor=style.PAGE,
            metadata={"Software": None},
        )
