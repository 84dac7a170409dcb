"""Traces as the SDK records them; nothing is exported."""

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from app.settings import Settings
from app.tasks.broker import Message
from app.tracing.open_telemetry import OpenTelemetry
from app.tracing.tracing import Tracing, create_tracing

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0dd902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
ENDPOINT = "http://collector:4318/v1/traces"


class Recorded:
    """Tracing whose spans are kept."""

    def __init__(self) -> None:
        self.tracing = OpenTelemetry(ENDPOINT, "worker", "worker-1")
        self._exporter = InMemorySpanExporter()
        self.tracing._provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def settings(**values: object) -> Settings:
    return Settings.model_validate({"db_password": "unused", **values})


def trace_of(span: ReadableSpan) -> str:
    assert span.context
    return format(span.context.trace_id, "032x")


def id_of(span: ReadableSpan) -> str:
    assert span.context
    return format(span.context.span_id, "016x")


def test_a_task_goes_on_with_the_trace_of_its_message(recorded: Recorded) -> None:
    with recorded.tracing.processing("greet", "default", "t1", TRACEPARENT) as span:
        span.set(attempt=2)
        assert span.trace_id == TRACE
        with recorded.tracing.span("claim"):
            pass
    spans = recorded.spans()
    assert {trace_of(span) for span in spans.values()} == {TRACE}
    process = spans["process greet"]
    assert (process.kind, format(process.parent.span_id, "016x")) == (SpanKind.CONSUMER, PARENT)  # type: ignore[union-attr] # it has one
    assert dict(process.attributes or {}) == {
        "messaging.system": "celery",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "messaging.message.id": "t1",
        "conveyor.task.id": "t1",
        "conveyor.task.name": "greet",
        "conveyor.task.attempt": 2,
    }
    assert process.resource.attributes["service.name"] == "conveyor-worker"
    assert process.resource.attributes["service.instance.id"] == "worker-1"


@pytest.mark.parametrize("traceparent", [None, "", "nonsense", "00-0-0-01", "*/ DROP"])
def test_a_message_without_a_usable_trace_begins_its_own(recorded: Recorded, traceparent: str | None) -> None:
    with recorded.tracing.processing("greet", "default", "t1", traceparent):
        pass
    (span,) = recorded.spans().values()
    assert span.parent is None


def test_what_is_not_to_be_sampled_is_not_recorded_and_says_so(recorded: Recorded) -> None:
    with recorded.tracing.processing("greet", "default", "t1", f"00-{TRACE}-{PARENT}-00") as span:
        assert span.trace_id is None
        assert str(recorded.tracing.traceparent()).startswith(f"00-{TRACE}-")
        assert str(recorded.tracing.traceparent()).endswith("-00")
    assert recorded.spans() == {}


def test_a_message_says_which_part_of_the_trace_sent_it(recorded: Recorded) -> None:
    message = Message("t1", "greet", "default", "r1", TRACEPARENT)
    with recorded.tracing.publishing([message]) as (said,):
        pass
    publish = recorded.spans()["publish default"]
    assert trace_of(publish) == TRACE
    assert said == f"00-{TRACE}-{id_of(publish)}-01"


def test_a_failure_is_told_by_its_class_and_never_by_its_text(recorded: Recorded) -> None:
    with (
        pytest.raises(ValueError, match="hunter2"),
        recorded.tracing.processing("greet", "default", "t1", None),
        recorded.tracing.span("run"),
    ):
        raise ValueError("hunter2")
    for span in recorded.spans().values():
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
        assert span.events == ()
        assert "hunter2" not in span.to_json()


def test_a_request_is_traced_without_what_was_asked_with_it(recorded: Recorded) -> None:
    app = FastAPI(telemetry=recorded.tracing.http(lambda scope: scope["path"] == "/healthz"))

    @app.get("/users/{user_id}")
    def show(request: Request, user_id: int) -> dict[str, str | None]:
        del request, user_id
        return {"trace_id": recorded.tracing.trace_id(), "traceparent": recorded.tracing.traceparent()}

    client = TestClient(app)
    answer = client.get(
        "/users/7?token=hunter2", headers={"traceparent": TRACEPARENT, "Authorization": "Bearer hunter2"}
    )
    client.get("/healthz")
    assert answer.json()["trace_id"] == TRACE
    (span,) = recorded.spans().values()
    assert (span.name, trace_of(span)) == ("GET /users/{user_id}", TRACE)
    assert answer.json()["traceparent"].split("-")[2] == id_of(span)
    assert "hunter2" not in span.to_json()


@pytest.fixture
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "tasks-of-the-shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")


@pytest.mark.usefixtures("_own_environment")
def test_the_names_of_the_environment_have_the_last_word() -> None:
    attributes = Recorded().tracing._provider.resource.attributes
    assert attributes["service.name"] == "tasks-of-the-shop"
    assert attributes["deployment.environment.name"] == "staging"


def test_a_protocol_that_is_not_spoken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(SystemExit, match="OTEL_EXPORTER_OTLP_PROTOCOL is grpc: unset it"):
        OpenTelemetry(ENDPOINT, "api", "api-1")


@pytest.mark.parametrize(
    ("values", "endpoint"),
    [
        ({}, None),
        ({"otel_exporter_otlp_endpoint": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"otel_exporter_otlp_endpoint": "http://c:4318/"}, "http://c:4318/v1/traces"),
        ({"otel_exporter_otlp_traces_endpoint": "https://c/t"}, "https://c/t"),
        ({"otel_exporter_otlp_endpoint": "http://c", "otel_sdk_disabled": "true"}, None),
    ],
)
def test_the_standard_variables_turn_traces_on(values: dict[str, str], endpoint: str | None) -> None:
    assert settings(**values).traces_endpoint == endpoint
    tracing = create_tracing(settings(**values), "api")
    assert isinstance(tracing, OpenTelemetry) == (endpoint is not None)


def test_traces_that_are_off_change_nothing() -> None:
    tracing = Tracing()
    message = Message("t1", "greet", "default", "r1", TRACEPARENT)
    with tracing.publishing([message]) as said, tracing.processing("greet", "default", "t1", None) as span:
        span.set(attempt=1)
        span.fail("ValueError")
        assert said == [TRACEPARENT]
        assert (tracing.traceparent(), tracing.trace_id(), span.trace_id) == (None, None, None)
