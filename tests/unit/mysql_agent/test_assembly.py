"""One agent put together for each kind of place; nothing is connected to."""

from pathlib import Path
from threading import Event

import pytest

from mysql_agent.assembly import build_environment, build_loop, build_server
from mysql_agent.handover import Handover
from mysql_agent.lease import LeaseLock
from mysql_agent.lock import FileLock
from mysql_agent.metrics import Metrics
from mysql_agent.settings import AgentSettings
from tests.unit.mysql_agent.views import in_group

ACCOUNT = {
    "user": "conveyor_agent",
    "password": "a",
    "recovery_user": "gr_recovery",
    "recovery_password": "r",
}
MEMBERS = "mysql-0=a:3306,mysql-1=b:3306"


def test_members_on_one_machine_share_a_file(tmp_path: Path) -> None:
    settings = AgentSettings.model_validate(
        {**ACCOUNT, "members": MEMBERS, "lock_file": tmp_path / "lock", "handover_directory": tmp_path}
    )
    environment = build_environment(settings, Metrics())
    assert isinstance(environment.lock, FileLock)
    assert environment.companion is None
    (tmp_path / "stopping").touch()
    around = environment.surroundings(Handover(tmp_path), in_group(0, uptime_seconds=100))
    assert around.stopping_seconds is not None
    assert (around.known_uuids, around.can_be_forced) == (frozenset(), False)
    assert build_loop(settings, Metrics(), environment, Event()).report is None


def test_members_in_kubernetes_share_a_lease_and_know_nothing_before_the_api_has_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT_HTTPS", "443")
    (tmp_path / "token").write_text("t")
    settings = AgentSettings.model_validate(
        {
            **ACCOUNT,
            "members": MEMBERS,
            "lease": "conveyor-mysql",
            "kubernetes_namespace": "shop",
            "kubernetes_account": tmp_path,
        }
    )
    metrics = Metrics()
    environment = build_environment(settings, metrics)
    assert isinstance(environment.lock, LeaseLock)
    around = environment.surroundings(Handover(None), None)
    assert (around.known_uuids, around.can_be_forced, around.forced) == (None, True, False)
    assert "mysql_agent_kubernetes_up 0.0" in metrics.text()
    assert build_loop(settings, metrics, environment, Event()).report is None


def test_the_other_members_are_verified_and_the_own_one_can_be_reached_with_an_expired_certificate(
    tmp_path: Path,
) -> None:
    settings = AgentSettings.model_validate(
        {**ACCOUNT, "members": MEMBERS, "lock_file": tmp_path / "lock", "tls_ca": tmp_path / "ca.crt"}
    )
    (other,) = (member for member in settings.members if member != settings.own)
    assert build_server(settings, settings.own).tls == {"verify_mode": "none"}
    assert build_server(settings, other).tls == {"ca": str(tmp_path / "ca.crt")}
