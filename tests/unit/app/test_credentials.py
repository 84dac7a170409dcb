import base64
import re
import signal
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from structlog.testing import capture_logs

from app.credentials import __main__ as command
from app.credentials.passwords import KEYS, complaints, new_passwords
from app.credentials.secret import CredentialsError, ensure_secret, patiently
from app.credentials.settings import CredentialsSettings, load
from kubernetes_api.client import ApiError, Document, PodApi
from tests.unit.kubernetes_api.fake_api import FakeApi

PATH = "/api/v1/namespaces/shop/secrets/conveyor-credentials"
TIMED_OUT = ApiError("no answer")
FORBIDDEN = ApiError("secrets is forbidden", HTTPStatus.FORBIDDEN)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def ensure(api: FakeApi, deadline_seconds: float = 60) -> bool:
    settings = CredentialsSettings(
        secret="conveyor-credentials",
        namespace="shop",
        labels={"app.kubernetes.io/name": "conveyor"},
        deadline_seconds=deadline_seconds,
    )
    name = "conveyor-credentials"
    return patiently(lambda: ensure_secret(api, settings, name), settings, name, sleep=lambda _: None)


def values(document: Document) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in document["data"].items()}


def secret(**changes: str | None) -> Document:
    texts = {**new_passwords(), **{key.replace("_", "-"): value for key, value in changes.items()}}
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items() if text is not None}
    return {"metadata": {"name": "conveyor-credentials"}, "data": data}


def test_a_missing_secret_is_made_with_every_key_and_the_labels(api: FakeApi) -> None:
    assert ensure(api)
    made = api.documents[PATH]
    assert made["metadata"]["labels"] == {"app.kubernetes.io/name": "conveyor"}
    assert set(values(made)) == set(KEYS)
    assert complaints({key: text.encode() for key, text in values(made).items()}) == []


def test_passwords_differ_from_each_other_and_from_those_of_another_release() -> None:
    drawn = [*new_passwords().values(), *new_passwords().values()]
    assert len(set(drawn)) == 2 * len(KEYS)
    assert all(re.fullmatch(r"(conveyor:)?[A-Za-z0-9]{32}", text) for text in drawn)


def test_an_existing_secret_is_only_looked_at(api: FakeApi) -> None:
    api.put(PATH, secret())
    before = api.documents[PATH]
    assert not ensure(api)
    assert api.documents[PATH] == before
    assert {method for method, _ in api.requests} == {"GET"}


def test_the_keys_that_an_existing_secret_lacks_are_named(api: FakeApi) -> None:
    api.put(PATH, secret(db_password=None, secret_key=""))
    with pytest.raises(CredentialsError, match=r"db-password is missing, secret-key is missing: correct it"):
        ensure(api)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"mysql_recovery_password": "x" * 33}, "mysql-recovery-password is longer than 32 characters"),
        ({"flower_basic_auth": "only-a-password"}, "flower-basic-auth is not user:password"),
    ],
)
def test_a_value_that_would_not_work_is_named_but_not_shown(
    api: FakeApi, change: dict[str, str], complaint: str
) -> None:
    api.put(PATH, secret(**change))
    with pytest.raises(CredentialsError, match=complaint) as refused:
        ensure(api)
    assert next(iter(change.values())) not in str(refused.value)


def test_who_loses_the_race_takes_the_winners_secret(api: FakeApi) -> None:
    api.fail("GET", "secrets", ApiError("not found", HTTPStatus.NOT_FOUND))
    api.put(PATH, secret())  # made between the look and the attempt
    assert not ensure(api)
    assert api.requests == [("GET", PATH), ("POST", PATH.rpartition("/")[0]), ("GET", PATH)]


def test_errors_that_pass_are_waited_out(api: FakeApi) -> None:
    api.fail("GET", "secrets", TIMED_OUT, ApiError("etcd is away", HTTPStatus.INTERNAL_SERVER_ERROR))
    api.fail("POST", "secrets", FORBIDDEN)  # the role is bound a moment later
    assert ensure(api)


def test_an_attempt_whose_answer_was_lost_is_recognised() -> None:
    class Losing(FakeApi):
        def request(
            self, method: str, path: str, body: object = None, content_type: str = "application/json"
        ) -> Document:
            answer = super().request(method, path, body, content_type)
            if method == "POST":
                raise TIMED_OUT
            return answer

    api = Losing()
    assert not ensure(api)
    assert set(values(api.documents[PATH])) == set(KEYS)


def test_a_role_that_stays_missing_ends_it_with_the_cure(api: FakeApi) -> None:
    api.fail("GET", "secrets", FORBIDDEN)
    with pytest.raises(
        CredentialsError, match="needs a Role that may get and update the Secret conveyor-credentials"
    ):
        ensure(api, deadline_seconds=0.000001)


def test_a_refusal_that_will_not_pass_ends_it_at_once(api: FakeApi) -> None:
    api.fail("POST", "secrets", ApiError("namespaces shop not found", HTTPStatus.NOT_FOUND))
    with pytest.raises(CredentialsError, match="namespaces shop not found"):
        ensure(api)


def test_the_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_SECRET", "conveyor-credentials")
    monkeypatch.setenv("CREDENTIALS_NAMESPACE", "shop")
    monkeypatch.setenv("CREDENTIALS_LABELS", "app.kubernetes.io/name=conveyor, helm.sh/chart=conveyor-1.0")
    assert load(CredentialsSettings).labels == {
        "app.kubernetes.io/name": "conveyor",
        "helm.sh/chart": "conveyor-1.0",
    }


def test_wrong_settings_are_named_by_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_SECRET", "Not A Name")
    monkeypatch.setenv("CREDENTIALS_LABELS", "no pair")
    with pytest.raises(SystemExit) as ended:
        load(CredentialsSettings)
    for name in ("CREDENTIALS_SECRET", "CREDENTIALS_NAMESPACE", "CREDENTIALS_LABELS"):
        assert name in str(ended.value)


@pytest.fixture
def _in_a_pod(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> Iterator[None]:
    monkeypatch.setenv("CREDENTIALS_SECRET", "conveyor-credentials")
    monkeypatch.setenv("CREDENTIALS_NAMESPACE", "shop")
    monkeypatch.setattr(PodApi, "in_cluster", lambda _timeout: api)
    monkeypatch.setattr(command, "begin", lambda _process, load: load())
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_in_a_pod")
def test_the_command_ends_well_each_time_it_is_run(api: FakeApi) -> None:
    with capture_logs() as lines:
        command.main()
        command.main()
    assert [line["event"] for line in lines] == ["Secret created", "the Secret exists"]
    assert not any(text in str(lines) for text in values(api.documents[PATH]).values())


@pytest.mark.usefixtures("_in_a_pod")
def test_the_command_ends_with_what_is_wrong(api: FakeApi) -> None:
    api.put(PATH, secret(redis_password=None))
    with pytest.raises(SystemExit, match="redis-password is missing"):
        command.main()
