"""What the worker knows of a task before it has asked the ledger."""

from dataclasses import dataclass

from app.correlation import REQUEST_ID, TASK_ID


@dataclass(frozen=True)
class Delivery:
    """What a message says: which task, in which queue, and for which request and trace."""

    task_id: str
    queue: str
    request_id: str | None = None
    traceparent: str | None = None

    @property
    def ids(self) -> dict[str, str]:
        """What every line of the log about it has."""
        ids = {TASK_ID: self.task_id, REQUEST_ID: self.request_id}
        return {name: value for name, value in ids.items() if value}
