"""Create users, tasks, products and requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

from app.migrations.repeatable import create_index, create_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_table(
        "requests",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("server_id", sa.String(length=255), nullable=False),
        sa.Column("task_id", sa.CHAR(length=36, collation="ascii_bin"), nullable=True),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("status_code", sa.SmallInteger(), nullable=False),
        sa.Column("duration_ms", sa.Double(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column(
            "timestamp", DATETIME(fsp=6), server_default=sa.text("CURRENT_TIMESTAMP(6)"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.UniqueConstraint("task_id", name="uq_requests_task_id"),
    )
    create_index("ix_requests_server_id_timestamp", "requests", ["server_id", "timestamp"])
    create_index("ix_requests_timestamp", "requests", ["timestamp"])
    create_table(
        "tasks",
        sa.Column("id", sa.CHAR(length=36, collation="ascii_bin"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("queue", sa.String(length=100), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("queued", "running", "retrying", "succeeded", "failed", "cancelled", name="taskstatus"),
            nullable=False,
        ),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("retry_delay_seconds", sa.Double(), nullable=False),
        sa.Column("accepted_by", sa.String(length=255), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("idempotency_key", sa.String(length=255, collation="utf8mb4_bin"), nullable=True),
        sa.Column("fingerprint", sa.CHAR(length=64, collation="ascii_bin"), nullable=True),
        sa.Column(
            "created_at", DATETIME(fsp=6), server_default=sa.text("CURRENT_TIMESTAMP(6)"), nullable=False
        ),
        sa.Column(
            "available_at", DATETIME(fsp=6), server_default=sa.text("CURRENT_TIMESTAMP(6)"), nullable=False
        ),
        sa.Column("published_at", DATETIME(fsp=6), nullable=True),
        sa.Column("started_at", DATETIME(fsp=6), nullable=True),
        sa.Column("finished_at", DATETIME(fsp=6), nullable=True),
        sa.Column("lease_owner", sa.String(length=255), nullable=True),
        sa.Column("lease_until", DATETIME(fsp=6), nullable=True),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
        sa.UniqueConstraint("idempotency_key", name="uq_tasks_idempotency_key"),
    )
    create_index("ix_tasks_status_available_at", "tasks", ["status", "available_at"])
    create_index("ix_tasks_status_id", "tasks", ["status", "id"])
    create_index("ix_tasks_status_lease_until", "tasks", ["status", "lease_until"])
    create_table(
        "users",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column(
            "created_at", DATETIME(fsp=6), server_default=sa.text("CURRENT_TIMESTAMP(6)"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    create_table(
        "products",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.CHAR(length=36, collation="ascii_bin"), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=50), nullable=False),
        sa.Column(
            "created_at", DATETIME(fsp=6), server_default=sa.text("CURRENT_TIMESTAMP(6)"), nullable=False
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_products_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("task_id", name="uq_products_task_id"),
    )
    create_index("ix_products_created_at", "products", ["created_at"])
    create_index("ix_products_user_id_id", "products", ["user_id", "id"])


def downgrade() -> None:
    """Drop the tables with all they hold."""
    for table in ("products", "users", "tasks", "requests"):
        op.drop_table(table)
