"""The dashboard's answers around its contents: headers, problems, static files."""

import base64
import hashlib
import re
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from app.dashboard.pages import TEMPLATES
from app.dashboard.static_files import DIRECTORY
from app.dependencies import read_session, write_session
from app.main import create_app
from app.settings import Settings

HTMX = {"HX-Request": "true"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = create_app(
        Settings(
            db_password=SecretStr("unused"), secret_key=SecretStr("0123456789abcdef"), replica_name="api-7"
        )
    )

    app.dependency_overrides[read_session] = app.dependency_overrides[write_session] = lambda: None
    return app


@pytest.fixture
def _no_primary(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("INSERT", {}, ConnectionRefusedError(), connection_invalidated=True)

    monkeypatch.setitem(app.dependency_overrides, write_session, refuse)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    # Without `with`: no thread starts and nothing is connected to.
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


@pytest.mark.usefixtures("_no_primary")
def test_without_a_primary_the_button_is_answered_with_what_to_do(client: TestClient) -> None:
    answer = client.post("/ui/test-worker", data={"key": "k"}, headers=HTMX)
    assert answer.status_code == 503
    assert answer.headers["HX-Retarget"] == "#notice"
    assert "Press the button again" in answer.text
    assert "<html" not in answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)


@pytest.mark.usefixtures("_no_primary")
def test_without_javascript_a_problem_is_a_whole_page(client: TestClient) -> None:
    answer = client.post("/ui/test-worker", data={"key": "k"})
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in answer.text
    assert "HX-Retarget" not in answer.headers


def test_a_poll_that_fails_leaves_the_place_that_asked_as_it_is(client: TestClient) -> None:
    answer = client.get("/ui/fragments/tasks/nonsense", headers=HTMX)
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#connection"
    assert "task_id: " in answer.text


def test_what_another_site_sends_is_refused(client: TestClient) -> None:
    answer = client.post("/ui/test-worker", data={"key": "k"}, headers=CROSS_SITE)
    assert answer.status_code == 403
    assert "another site" in answer.text


def test_no_other_site_can_have_failed_tasks_replayed(client: TestClient) -> None:
    answer = client.post("/ui/operations/replay", data={"task_id": str(UUID(int=1))}, headers=CROSS_SITE)
    assert answer.status_code == 403


@pytest.mark.parametrize("count", [0, 11])
def test_nobody_replays_nothing_or_more_than_the_page_shows(client: TestClient, count: int) -> None:
    ids = {"task_id": [str(UUID(int=number)) for number in range(count)]}
    answer = client.post("/ui/operations/replay", data=ids, headers=HTMX)
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#notice"


def test_the_api_still_answers_with_problem_documents(client: TestClient) -> None:
    answer = client.get("/api/tasks/nonsense", headers=HTMX)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Content-Security-Policy" not in answer.headers


def test_pages_carry_a_policy_that_allows_nothing_inline(client: TestClient) -> None:
    policy = client.get("/ui/nothing").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy


def test_what_comes_from_outside_is_escaped(client: TestClient) -> None:
    answer = client.post("/ui/create-product", data={"user_id": "<b>x</b>", "key": "k"}, headers=HTMX)
    assert answer.status_code == 422
    assert "<b>" not in answer.text


def test_static_files_are_kept_for_ever_under_their_own_digest_only(client: TestClient) -> None:
    page = client.get("/ui/nothing").text
    found = re.search(r'href="(/static/dashboard.css\?v=\w+)"', page)
    assert found
    assert "immutable" in client.get(found[1]).headers["Cache-Control"]
    assert client.get("/static/dashboard.css?v=other").headers["Cache-Control"] == "no-cache"
    assert client.get("/static/dashboard.css").headers["Cache-Control"] == "no-cache"


def test_a_browser_that_asks_for_an_icon_gets_one(client: TestClient) -> None:
    assert client.get("/favicon.ico").headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize("name", ["htmx.min.js", "pico.min.css"])
def test_vendored_files_are_what_their_list_says(name: str) -> None:
    vendor = DIRECTORY / "vendor"
    digest = base64.b64encode(hashlib.sha384((vendor / name).read_bytes()).digest()).decode()
    assert f"`{digest}`" in next(
        line
        for line in (vendor / "VENDORED.md").read_text(encoding="utf-8").splitlines()
        if f"`{name}`" in line
    )


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_inline_style_and_no_inline_script(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son\w+=|hx-on|js:", text)
