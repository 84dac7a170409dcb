"""Remember which trace a task is part of, so that a message sent again continues it."""

import sqlalchemy as sa

from app.migrations.repeatable import add_column, drop_column

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which MySQL does at once however many rows there are."""
    add_column("tasks", sa.Column("traceparent", sa.CHAR(length=55, collation="ascii_bin"), nullable=True))


def downgrade() -> None:
    """Drop it."""
    drop_column("tasks", "traceparent")
