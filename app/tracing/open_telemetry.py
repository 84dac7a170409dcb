"""Traces by OpenTelemetry's SDK, exported to a collector by OTLP over HTTP."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Engine

from app.tasks.broker import Message
from app.tracing.exporter import ReportingExporter
from app.tracing.statements import trace_commits, trace_statements
from app.tracing.tracing import TRACEPARENT, Scope, Span, Tracing
from app.version import VERSION

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

PROTOCOL = "http/protobuf"
STOP_SECONDS = 2.0


class OpenTelemetry(Tracing):
    """Traces that are on. A collector that does not answer costs spans, and no request or task any time."""

    def __init__(self, endpoint: str, process: str, replica: str) -> None:
        protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or PROTOCOL
        if protocol != PROTOCOL:
            raise SystemExit(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}: unset it, or set it to {PROTOCOL}")
        self._endpoint = endpoint
        self._provider = TracerProvider(resource=_resource(process, replica), shutdown_on_exit=False)
        self._provider.add_span_processor(_QueryRedaction())
        self._tracer = self._provider.get_tracer("conveyor", VERSION)
        self._propagator = TraceContextTextMapPropagator()
        trace_commits(self._tracer)

    def start(self) -> None:
        """Start the thread that exports."""
        self._provider.add_span_processor(BatchSpanProcessor(ReportingExporter(endpoint=self._endpoint)))

    def stop(self) -> None:
        """Export what is left; the SDK would wait for half a minute."""
        stopping = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)

    def observe(self, engine: Engine) -> None:
        """Trace the statements of a pool."""
        trace_statements(engine, self._tracer)

    def http(self, is_excluded: Callable[[Scope], bool]) -> "TelemetryConfig":
        """Let FastAPI trace requests; it has no say in metrics and logs."""
        return {
            **super().http(is_excluded),
            "tracing": True,
            "tracer_provider": self._provider,
            "operation_spans": False,
            "exclude": is_excluded,
        }

    def traceparent(self) -> str | None:
        """Return the present span as the header says it."""
        return self._header_of(trace.get_current_span())

    def trace_id(self) -> str | None:
        """Return the present trace's id."""
        return _trace_id(trace.get_current_span())

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """Make a part of the present trace."""
        with self._current(name, None, SpanKind.INTERNAL, {}) as span:
            yield span

    @contextmanager
    def publishing(self, messages: Sequence[Message]) -> Iterator[list[str | None]]:
        """Make a part of each message's trace, as long as the batch takes."""
        spans = [
            self._tracer.start_span(
                f"publish {message.queue}",
                self._context_of(message.traceparent),
                SpanKind.PRODUCER,
                _attributes("send", message.name, message.queue, message.task_id),
            )
            for message in messages
        ]
        try:
            yield [self._header_of(span) for span in spans]
        except Exception as error:
            for span in spans:
                RecordedSpan(span).fail(type(error).__name__)
            raise
        finally:
            for span in spans:
                span.end()

    @contextmanager
    def processing(self, task: str, queue: str, task_id: str, traceparent: str | None) -> Iterator[Span]:
        """Go on with a message's trace; a message without one begins its own."""
        attributes = _attributes("process", task, queue, task_id)
        context = self._context_of(traceparent)
        with self._current(f"process {task}", context, SpanKind.CONSUMER, attributes) as span:
            yield span

    @contextmanager
    def _current(
        self, name: str, context: Context | None, kind: SpanKind, attributes: dict[str, str]
    ) -> Iterator["RecordedSpan"]:
        started = self._tracer.start_span(name, context, kind, attributes)
        # what the SDK would record of an exception is its text
        with trace.use_span(started, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            span = RecordedSpan(started)
            try:
                yield span
            except BaseException as error:
                span.fail(type(error).__name__)
                raise

    def _context_of(self, traceparent: str | None) -> Context:
        return self._propagator.extract({TRACEPARENT: traceparent} if traceparent else {}, Context())

    def _header_of(self, span: trace.Span) -> str | None:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, trace.set_span_in_context(span, Context()))
        return carrier.get(TRACEPARENT)


class RecordedSpan(Span):
    """A part of a trace that the SDK records."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.trace_id = _trace_id(span)

    def set(self, **attributes: str | float) -> None:
        """Note attributes of the task."""
        for name, value in attributes.items():
            self._span.set_attribute(f"conveyor.task.{name}", value)

    def fail(self, reason: str) -> None:
        """Mark it as failed."""
        self._span.set_attribute("error.type", reason)
        self._span.set_status(StatusCode.ERROR, reason)


class _QueryRedaction(SpanProcessor):
    """Takes what a client asked with out of the spans that FastAPI makes: it may be anything."""

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """Overwrite it, for attributes cannot be removed."""
        del parent_context
        if span.attributes and "url.query" in span.attributes:
            span.set_attribute("url.query", "[redacted]")


def _resource(process: str, replica: str) -> Resource:
    """Name the process; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word."""
    named = {
        "service.name": f"conveyor-{process}",
        "service.namespace": "conveyor",
        "service.version": VERSION,
        "service.instance.id": replica,
    }
    return Resource.create(named).merge(OTELResourceDetector().detect())


def _attributes(operation: str, task: str, queue: str, task_id: str) -> dict[str, str]:
    return {
        "messaging.system": "celery",
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
        "messaging.message.id": task_id,
        "conveyor.task.id": task_id,
        "conveyor.task.name": task,
    }


def _trace_id(span: trace.Span) -> str | None:
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id) if span.is_recording() and context.is_valid else None
