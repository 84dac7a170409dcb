"""Rows of text as a table of Markdown."""

from collections.abc import Iterable


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table; whatever would end a cell is escaped."""
    escaped = ((cell.replace("|", r"\|") for cell in row) for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *escaped))
