"""What the code knows of traces. Where they are off, nothing is imported and every call does nothing."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from app.settings import Settings

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

    from app.tasks.broker import Message  # which itself needs this module

Scope = Any
TRACEPARENT = "traceparent"  # the header of W3C Trace Context, in requests and in messages


class Span:
    """A part of a trace that nobody records."""

    trace_id: str | None = None

    def set(self, **attributes: str | float) -> None:
        """Note attributes of the task."""

    def fail(self, reason: str) -> None:
        """Mark it as failed; the reason is a class or an outcome, never a text that may quote a payload."""


NO_SPAN = Span()


class Tracing:
    """Traces that are off."""

    def start(self) -> None:
        """Begin to export; in a process that forks, this belongs into the child."""

    def stop(self) -> None:
        """Export what is left, for a short time at most."""

    def observe(self, engine: Engine) -> None:
        """Have the statements of a pool be parts of the traces that they belong to."""

    def http(self, is_excluded: Callable[[Scope], bool]) -> "TelemetryConfig":
        """Return FastAPI's configuration of its own telemetry."""
        del is_excluded
        return {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

    def traceparent(self) -> str | None:
        """Return what a message of the present request says of its trace."""
        return None

    def trace_id(self) -> str | None:
        """Return the id of the present trace if it is recorded."""
        return None

    def span(self, name: str) -> AbstractContextManager[Span]:
        """Make a part of the present trace."""
        del name
        return nullcontext(NO_SPAN)

    def publishing(self, messages: Sequence["Message"]) -> AbstractContextManager[list[str | None]]:
        """Make a part of each message's trace; yields what each message is to say of it."""
        return nullcontext([message.traceparent for message in messages])

    def processing(
        self, task: str, queue: str, task_id: str, traceparent: str | None
    ) -> AbstractContextManager[Span]:
        """Go on with the trace that a message is part of."""
        del task, queue, task_id, traceparent
        return nullcontext(NO_SPAN)


def create_tracing(settings: Settings, process: str) -> Tracing:
    """Return the traces of a process: on if the settings name a collector."""
    endpoint = settings.traces_endpoint
    if endpoint is None:
        return Tracing()
    from app.tracing.open_telemetry import OpenTelemetry

    return OpenTelemetry(endpoint, process, settings.replica_name)
