"""What the API answers before it needs a database; the lifespan is not started."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pymysql
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from app.main import create_app
from app.settings import Settings

if TYPE_CHECKING:
    from app.context import ApiContext


@pytest.fixture(scope="module")
def app() -> FastAPI:
    settings = Settings(
        db_password=SecretStr("unused"),
        secret_key=SecretStr("0123456789abcdef"),
        replica_name="api-7",
        max_body_bytes=1024,
    )
    app = create_app(settings)

    @app.get("/broken")
    def broken(request: Request) -> None:
        raise RuntimeError(f"a secret detail of {request.url}")

    @app.get("/failing/{code}")
    def failing(code: int) -> None:
        raise OperationalError("UPDATE", None, pymysql.err.OperationalError(code, "why"))

    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    # Without `with`: no thread starts and nothing is connected to.
    return TestClient(app, raise_server_exceptions=False)


def test_every_response_says_which_replica_served_it(client: TestClient) -> None:
    response = client.get("/healthz")
    assert response.json() == {"status": "ok"}
    assert response.headers["X-Served-By"] == "api-7"


def test_a_request_keeps_the_id_it_came_with(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"


@pytest.mark.parametrize("given", ["abc 1", "*/ DROP TABLE tasks", "x" * 65, "", "\xe9", "a'b", "%s", "{}"])
def test_an_id_that_could_forge_a_line_or_a_statement_is_replaced(client: TestClient, given: str) -> None:
    assert (
        client.get("/healthz", headers={b"X-Request-ID": given.encode("latin-1")}).headers["X-Request-ID"]
        != given
    )


def test_an_unknown_path_is_a_problem_document(client: TestClient) -> None:
    response = client.get("/api/nothing")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
        "instance": "/api/nothing",
    }


def test_a_wrong_method_keeps_the_header_that_names_the_right_ones(client: TestClient) -> None:
    response = client.put("/api/users/1")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert response.json()["title"] == "Method Not Allowed"


def test_invalid_input_is_not_sent_back(client: TestClient) -> None:
    response = client.post("/api/users", json={"name": "Ada", "email": "hunter2"})
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {
            "loc": ["body", "email"],
            "msg": "String should match pattern '^[^@\\s]+@[^@\\s]+$'",
            "type": "string_pattern_mismatch",
        }
    ]


def test_a_body_that_is_no_json_is_invalid(client: TestClient) -> None:
    response = client.post("/api/tasks", content=b"{", headers={"Content-Type": "application/json"})
    assert response.status_code == 422


def test_a_body_over_the_limit_is_refused_by_its_declared_length(client: TestClient) -> None:
    response = client.post("/api/tasks", content=b"x" * 1025)
    assert response.status_code == 413
    assert response.json()["detail"] == "The body is larger than 1024 bytes (MAX_BODY_BYTES)."


def test_a_body_over_the_limit_is_refused_while_it_streams(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * 500

    response = client.post("/api/tasks", content=chunks(), headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_unforeseen_error_is_a_problem_without_its_details(client: TestClient) -> None:
    response = client.get("/broken", headers={"X-Request-ID": "find-me"})
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] == "find-me"
    assert "secret detail" not in response.text


@pytest.mark.parametrize("code", [2013, 1290, 1213])
def test_a_lost_or_deadlocked_database_asks_to_try_again(client: TestClient, code: int) -> None:
    response = client.get(f"/failing/{code}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_wrong_statement_is_an_error_of_ours(client: TestClient) -> None:
    assert client.get("/failing/1064").status_code == 500


def test_an_empty_or_endless_idempotency_key_is_invalid(client: TestClient) -> None:
    for key in ("", "k" * 256):
        response = client.post("/api/worker/test", headers={"Idempotency-Key": key})
        assert response.status_code == 422


def test_requests_are_counted_by_route_not_by_path(client: TestClient, app: FastAPI) -> None:
    client.delete("/api/tasks/abc")
    metrics = client.get("/metrics").text
    assert 'route="/api/tasks/{task_id}"' in metrics
    assert "abc" not in metrics
    context: ApiContext = app.state.context
    assert context.metrics.in_flight._value.get() == 0


def test_a_method_that_a_client_made_up_gets_no_series_of_its_own(client: TestClient) -> None:
    client.request("BREW", "/healthz")
    metrics = client.get("/metrics").text
    assert "BREW" not in metrics
    assert 'method="other",route="/healthz"' in metrics


def test_metrics_with_a_port_of_their_own_are_not_on_the_port_that_an_ingress_publishes() -> None:
    settings = Settings(
        db_password=SecretStr("unused"), secret_key=SecretStr("0123456789abcdef"), api_metrics_port=9102
    )
    assert TestClient(create_app(settings)).get("/metrics").status_code == 404


def test_the_documentation_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    assert client.get("/static/openapi/swagger-ui-bundle.js").status_code == 200


def test_the_document_has_a_form_for_every_task_and_problems_for_errors(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    forms = {form["title"] for form in schemas["TaskSubmission"]["oneOf"]}
    assert {"create_product_from_user", "test_worker_connection"} <= forms
    assert "HTTPValidationError" not in schemas
    missing = document["paths"]["/api/users/{user_id}"]["get"]["responses"]["404"]
    assert missing["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }


def test_every_reference_of_the_document_leads_somewhere(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                yield reference
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


def test_the_api_does_not_start_without_the_key_that_signs_its_tokens() -> None:
    with pytest.raises(SystemExit, match="SECRET_KEY is not set"):
        create_app(Settings(db_password=SecretStr("unused"), secret_key=None))


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/users/1/create-product"), ("POST", "/api/worker/test"), ("DELETE", "/api/tasks/1")],
)
def test_the_page_of_another_site_cannot_make_a_browser_start_work(
    client: TestClient, method: str, path: str
) -> None:
    response = client.request(method, path, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/problem+json"
