"""Let the relay find what to publish without looking at every task that waits."""

from app.migrations.repeatable import create_index, drop_index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OLD, OLD_COLUMNS = "ix_tasks_status_available_at", ["status", "available_at"]
NEW = "ix_tasks_status_published_at_available_at_queue"
NEW_COLUMNS = ["status", "published_at", "available_at", "queue"]


def upgrade() -> None:
    """Replace the index; a release that expects the old one works without it."""
    create_index(NEW, "tasks", NEW_COLUMNS)
    drop_index(OLD, "tasks")


def downgrade() -> None:
    """Put the old index back."""
    create_index(OLD, "tasks", OLD_COLUMNS)
    drop_index(NEW, "tasks")
