"""What Celery would write for a task without arguments, written without Celery: ten times as fast.

A contract test compares it with the pinned Celery's own, field by field.
"""

import base64
import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.tracing.tracing import TRACEPARENT

if TYPE_CHECKING:
    from app.tasks.broker import Message

NO_ARGUMENTS = [[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
BODY = base64.b64encode(json.dumps(NO_ARGUMENTS).encode()).decode()
PERSISTENT = 2
# Nobody listens there: results are in the ledger.
REPLY_TO = str(uuid4())
# None of it is used: there are no workflows, and retries, times and limits are the ledger's.
UNUSED: dict[str, Any] = {
    "shadow": None,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": [None, None],
    "parent_id": None,
    "argsrepr": "()",
    "kwargsrepr": "{}",
    "ignore_result": True,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}


def envelope(message: "Message", traceparent: str | None) -> str:
    """Return a message as it lies in the queue."""
    headers = {
        "lang": "py",
        "task": message.name,
        "id": message.task_id,
        "root_id": message.task_id,
        **UNUSED,
        "origin": f"gen{os.getpid()}@{socket.gethostname()}",
        "request_id": message.request_id,
        "enqueued_at": time.time(),
    }
    if traceparent:
        headers[TRACEPARENT] = traceparent
    properties = {
        "correlation_id": message.task_id,
        "reply_to": REPLY_TO,
        "delivery_mode": PERSISTENT,
        "delivery_info": {"exchange": "", "routing_key": message.queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid4()),
    }
    return json.dumps(
        {
            "body": BODY,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": properties,
        }
    )
