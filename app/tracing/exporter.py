"""Sends spans to the collector and says in the log when it stops answering, and when it answers again."""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

log = structlog.get_logger(__name__)

# They say for every batch, or every span, what is said here once.
REPEATING = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk._shared_internal",
)


class ReportingExporter(OTLPSpanExporter):
    """Knows whether the collector takes spans."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint=endpoint)
        self._is_heard = True
        for name in REPEATING:
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; what cannot be sent is lost."""
        result = super().export(spans)
        is_heard = result is SpanExportResult.SUCCESS
        if self._is_heard and not is_heard:
            log.warning("the collector takes no traces, they are dropped until it does", spans=len(spans))
        if is_heard and not self._is_heard:
            log.info("the collector takes traces again")
        self._is_heard = is_heard
        return result
