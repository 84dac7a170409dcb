"""What retention removes, and how old what is kept has become."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.models import RequestLog, Task

TABLES = (Task.__tablename__, RequestLog.__tablename__)


class RetentionMetrics:
    """Each relay counts what it removed itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.removed = Counter(
            "retention_rows_removed_total",
            "Rows removed because they were older than the settings keep them",
            ["table"],
            registry=registry,
        )
        self.oldest_age = Gauge(
            "retention_oldest_row_age_seconds",
            "Age of the oldest row, of a task since it was accepted; 0 if there is none",
            ["table"],
            registry=registry,
        )
        for table in TABLES:
            self.removed.labels(table)
            self.oldest_age.labels(table)

    def show_oldest(self, oldest: Mapping[str, datetime | None], now: datetime) -> None:
        """Show how old the oldest rows are."""
        for table, made_at in oldest.items():
            age = (now - made_at).total_seconds() if made_at else 0
            self.oldest_age.labels(table).set(max(0.0, age))
