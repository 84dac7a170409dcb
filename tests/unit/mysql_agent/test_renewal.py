from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pymysql
import pytest
from structlog.testing import capture_logs

from certificates.__main__ import FilesSettings, bring_up_to_date
from certificates.bundle import CERTIFICATE
from mysql_agent.metrics import Metrics
from mysql_agent.renewal import Renewal, Term, term_of

NOW = datetime(2026, 11, 25, tzinfo=UTC)


class OwnCertificate:
    """A server that shows what it last read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._shown: Term | None = term_of(file)
        self.reloads = 0
        self.error: pymysql.MySQLError | None = None

    def shown(self) -> Term | None:
        return self._shown

    def reload(self) -> None:
        self.reloads += 1
        if self.error:
            raise self.error
        self._shown = term_of(self._file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path, NOW)
    return tmp_path / CERTIFICATE


def write(directory: Path, now: datetime) -> None:
    settings = FilesSettings(directory=directory, names=frozenset({"localhost", str(now)}))
    bring_up_to_date(settings, now)


def expiry(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("mysql_agent_certificate_expiry_timestamp_seconds")


def reloads(metrics: Metrics, outcome: str) -> float | None:
    name = "mysql_agent_certificate_reloads_total"
    return metrics.registry.get_sample_value(name, {"outcome": outcome})


def test_the_same_certificate_is_left_alone_and_its_end_is_told(file: Path) -> None:
    own, metrics = OwnCertificate(file), Metrics()
    Renewal(own, file, metrics, Event()).look()
    assert own.reloads == 0
    assert expiry(metrics) == term_of(file).end


def test_another_certificate_is_loaded_once(file: Path) -> None:
    own, metrics = OwnCertificate(file), Metrics()
    renewal = Renewal(own, file, metrics, Event())
    write(file.parent, NOW.replace(year=2027))
    renewal.look()
    renewal.look()
    assert own.reloads == 1
    assert expiry(metrics) == term_of(file).end
    assert reloads(metrics, "done") == 1


def test_files_that_do_not_fit_together_yet_are_tried_again(file: Path) -> None:
    own, metrics = OwnCertificate(file), Metrics()
    renewal = Renewal(own, file, metrics, Event())
    before = expiry(metrics)
    write(file.parent, NOW.replace(year=2027))
    own.error = pymysql.OperationalError(3888, "Failed to set up SSL")
    with capture_logs() as logged:
        renewal.look()
        renewal.look()
    assert [line["error"] for line in logged] == ["Failed to set up SSL [3888]"]
    assert expiry(metrics) == before
    assert reloads(metrics, "failed") == 2
    own.error = None
    renewal.look()
    assert expiry(metrics) == term_of(file).end


def test_a_file_that_is_no_certificate_does_not_end_the_thread(file: Path) -> None:
    own, metrics = OwnCertificate(file), Metrics()
    file.write_text("nothing")
    with capture_logs() as logged:
        Renewal(own, file, metrics, Event()).look()
    assert "holds no certificate" in logged[0]["error"]


def test_without_a_file_the_end_of_whatever_the_server_made_itself_is_told(file: Path) -> None:
    own, metrics = OwnCertificate(file), Metrics()
    Renewal(own, None, metrics, Event()).look()
    assert expiry(metrics) == term_of(file).end
