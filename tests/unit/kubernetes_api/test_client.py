"""What the client makes of answers and of silence; no socket is opened."""

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from kubernetes_api.client import ApiError, PodApi


class Pool:
    """Takes the place of urllib3's pool."""

    def __init__(self, status: int = 200, body: bytes = b"{}", error: Exception | None = None) -> None:
        self.status = status
        self.data = body
        self.error = error
        self.sent: dict[str, Any] = {}

    def request(self, method: str, url: str, **options: object) -> "Pool":
        self.sent = {"method": method, "url": url, **options}
        if self.error:
            raise self.error
        return self


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first\n")
    return tmp_path


def api_over(pool: Pool, account: Path, host: str = "10.96.0.1") -> PodApi:
    api = PodApi.in_cluster(
        2, account, {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT_HTTPS": "443"}
    )
    api._pool = pool  # type: ignore[assignment]
    return api


def test_the_token_is_read_anew_for_every_request(account: Path) -> None:
    pool = Pool()
    api = api_over(pool, account)
    api.request("GET", "/version")
    assert pool.sent["headers"]["Authorization"] == "Bearer first"
    (account / "token").write_text("second")
    api.request("GET", "/version")
    assert pool.sent["headers"]["Authorization"] == "Bearer second"


def test_every_request_has_a_time_out(account: Path) -> None:
    pool = Pool()
    api_over(pool, account).request("GET", "/version")
    assert pool.sent["timeout"].total == 2


def test_an_address_of_version_6_is_put_in_brackets(account: Path) -> None:
    pool = Pool()
    api_over(pool, account, "fd00::1").request("GET", "/version")
    assert pool.sent["url"] == "https://[fd00::1]:443/version"


def test_a_body_is_sent_as_json_of_the_given_kind(account: Path) -> None:
    pool = Pool(201, b'{"kind": "Event"}')
    sent = api_over(pool, account).request("PATCH", "/x", {"a": 1}, "application/merge-patch+json")
    assert sent == {"kind": "Event"}
    assert json.loads(pool.sent["body"]) == {"a": 1}
    assert pool.sent["headers"]["Content-Type"] == "application/merge-patch+json"


@pytest.mark.parametrize(
    ("status", "body", "said", "may_pass"),
    [
        (409, b'{"kind": "Status", "message": "has been modified"}', "has been modified", False),
        (403, b'{"message": "is forbidden"}', "is forbidden", True),
        (500, b"etcdserver: request timed out", "etcdserver", True),
        (422, b"[]", "[]", False),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(
    account: Path, status: int, body: bytes, said: str, *, may_pass: bool
) -> None:
    with pytest.raises(ApiError, match="GET /x: ") as refused:
        api_over(Pool(status, body), account).request("GET", "/x")
    assert said in str(refused.value)
    assert (refused.value.status, refused.value.may_pass) == (status, may_pass)


@pytest.mark.parametrize("error", [urllib3.exceptions.HTTPError("timed out"), ConnectionResetError("reset")])
def test_silence_is_an_error_without_a_status(account: Path, error: Exception) -> None:
    with pytest.raises(ApiError, match="no answer to GET /x") as refused:
        api_over(Pool(error=error), account).request("GET", "/x")
    assert refused.value.status is None
    assert refused.value.may_pass


def test_outside_of_a_pod_it_says_so(account: Path) -> None:
    with pytest.raises(SystemExit, match="'KUBERNETES_SERVICE_HOST' is not set"):
        PodApi.in_cluster(2, account, {})


def test_a_pod_without_a_token_is_told_how_to_get_one(tmp_path: Path) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT_HTTPS": "443"}
    with pytest.raises(SystemExit, match="automountServiceAccountToken"):
        PodApi.in_cluster(2, tmp_path, environment)
