"""Remember which backups were made, so that their age can be measured."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

from app.migrations.repeatable import create_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    create_table(
        "backups",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("taken_at", DATETIME(fsp=6), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_backups"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("backups", if_exists=True)
