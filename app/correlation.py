"""The ids by which a request and the task that it began are found: in logs, messages and statements."""

import re

REQUEST_ID, TASK_ID, TRACE_ID = "request_id", "task_id", "trace_id"
# Anything else could forge a line of a log or end a comment.
HARMLESS = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def harmless(value: object) -> str | None:
    """Return an id from outside if it may be written down as it is."""
    return value if isinstance(value, str) and HARMLESS.fullmatch(value) else None
