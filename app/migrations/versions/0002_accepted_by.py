"""Record which API replica accepted a task."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("tasks", sa.Column("accepted_by", sa.String(255), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("tasks", "accepted_by")
