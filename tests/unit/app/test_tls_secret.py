from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from app.credentials.secret import CredentialsError, encoded, patiently, values_of
from app.credentials.settings import CredentialsSettings
from app.credentials.tls_secret import ensure_certificates
from certificates.bundle import CA, CA_KEY, CERTIFICATE, KEY, Bundle
from kubernetes_api.client import ApiError, Document
from tests.unit.kubernetes_api.fake_api import FakeApi

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NAME = "conveyor-mysql-tls"
PATH = f"/api/v1/namespaces/shop/secrets/{NAME}"
NAMES = frozenset({"*.conveyor-mysql.shop.svc.cluster.local", "127.0.0.1"})


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def ensure(api: FakeApi, now: datetime = NOW, names: frozenset[str] = NAMES) -> bool:
    settings = CredentialsSettings(
        tls_secret=NAME, namespace="shop", tls_names=names, labels={"part": "mysql"}
    )
    return patiently(
        lambda: ensure_certificates(api, settings, NAME, now), settings, NAME, sleep=lambda _: None
    )


def bundle(document: Document) -> Bundle:
    return Bundle.parse(values_of(document))


def test_a_missing_secret_is_made_as_kubernetes_wants_one_with_a_certificate(api: FakeApi) -> None:
    assert ensure(api)
    made = api.documents[PATH]
    assert made["type"] == "kubernetes.io/tls"
    assert made["metadata"]["labels"] == {"part": "mysql"}
    assert set(made["data"]) == {CA, CA_KEY, CERTIFICATE, KEY}


def test_what_holds_is_only_looked_at(api: FakeApi) -> None:
    ensure(api)
    before = api.documents[PATH]
    assert not ensure(api, NOW + timedelta(days=59))
    assert api.documents[PATH] == before


def test_what_ends_soon_or_lacks_a_name_is_made_anew_by_the_same_authority(api: FakeApi) -> None:
    ensure(api)
    first = bundle(api.documents[PATH])
    assert ensure(api, NOW + timedelta(days=61))
    second = bundle(api.documents[PATH])
    assert ensure(api, NOW + timedelta(days=61), NAMES | {"mysql"})
    third = bundle(api.documents[PATH])
    assert first.authorities == second.authorities == third.authorities
    assert len({one.server.certificate.serial_number for one in (first, second, third)}) == 3
    assert api.documents[PATH]["metadata"]["labels"] == {"part": "mysql"}


def test_who_loses_a_race_keeps_what_the_winner_made(api: FakeApi) -> None:
    ensure(api)
    later = NOW + timedelta(days=61)

    class Racing(FakeApi):
        def request(
            self, method: str, path: str, body: object = None, content_type: str = "application/json"
        ) -> Document:
            if method == "PUT" and not others:
                others.append(ensure(other, later))
                other.requests.clear()
            return super().request(method, path, body, content_type)

    others: list[bool] = []
    racing, other = Racing(), api
    racing.documents = other.documents
    assert not ensure(racing, later)
    assert others == [True]


def test_a_secret_that_was_made_elsewhere_is_left_alone_and_named(api: FakeApi) -> None:
    api.put(PATH, {"metadata": {"name": NAME}, "data": encoded({CERTIFICATE: b"x", KEY: b"geheim"})})
    before = api.documents[PATH]
    with pytest.raises(CredentialsError, match=r"mysql\.tls\.existingSecret") as refused:
        ensure(api)
    assert "geheim" not in str(refused.value)
    assert api.documents[PATH] == before


def test_no_key_is_logged(api: FakeApi) -> None:
    with capture_logs() as lines:
        ensure(api)
    assert lines[0]["because"] == "there is none yet"
    assert "PRIVATE KEY" not in str(lines)


def test_a_refusal_that_stays_names_the_right_that_is_missing(api: FakeApi) -> None:
    api.fail("GET", "secrets", *[ApiError("forbidden", 403)] * 2)
    settings = CredentialsSettings(
        tls_secret=NAME, namespace="shop", tls_names=NAMES, deadline_seconds=0.000001
    )
    with pytest.raises(CredentialsError, match=f"update the Secret {NAME}"):
        patiently(lambda: ensure_certificates(api, settings, NAME, NOW), settings, NAME)
