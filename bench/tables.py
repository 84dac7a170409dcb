"""Rows of text as a table, for a terminal and for Markdown; the first row is the head."""

from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def for_terminal(rows: Rows, *, numbers_right: bool = False) -> str:
    """Align the columns; with `numbers_right` all but the first one to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_aligned(row, widths, numbers_right=numbers_right) for row in rows]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])


def for_markdown(rows: Rows, *, numbers_right: bool = False) -> str:
    marks = ["---"] + ["--:" if numbers_right else "---"] * (len(rows[0]) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], marks, *rows[1:]])


def _aligned(row: Sequence[str], widths: Sequence[int], *, numbers_right: bool) -> str:
    first, *others = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1])]
    cells += [cell.rjust(width) if numbers_right else cell.ljust(width) for cell, width in others]
    return "  ".join(cells).rstrip()
