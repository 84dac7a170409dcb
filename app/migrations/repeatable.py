"""Changes of the schema that can be made again: MySQL commits each one, so a migration may end midway."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import inspect


def create_table(name: str, *columns: Any) -> None:  # noqa: ANN401 - columns and constraints, as Alembic takes them
    """Create the table unless it is there."""
    op.create_table(name, *columns, if_not_exists=True)


def create_index(name: str, table: str, columns: list[str]) -> None:
    """Create the index unless it is there; MySQL has no IF NOT EXISTS for it."""
    if not _has_index(name, table):
        op.create_index(name, table, columns)


def drop_index(name: str, table: str) -> None:
    """Drop the index if it is there."""
    if _has_index(name, table):
        op.drop_index(name, table)


def _has_index(name: str, table: str) -> bool:
    return any(index["name"] == name for index in inspect(op.get_bind()).get_indexes(table))


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add the column unless it is there."""
    if not _has_column(column.name, table):
        op.add_column(table, column)


def drop_column(table: str, name: str) -> None:
    """Drop the column if it is there."""
    if _has_column(name, table):
        op.drop_column(table, name)


def _has_column(name: str, table: str) -> bool:
    return any(column["name"] == name for column in inspect(op.get_bind()).get_columns(table))
