from pathlib import Path

import pytest
from pydantic import ValidationError

from mysql_agent.address import Address, Member
from mysql_agent.settings import AgentSettings, InitializeSettings, load

ENVIRONMENT = {
    "MYSQL_AGENT_NAME": "mysql-1",
    "MYSQL_AGENT_MEMBERS": "mysql-0=127.0.0.1:3306, mysql-1=127.0.0.1:3307,mysql-2=[fd00::2]:3306",
    "MYSQL_AGENT_USER": "conveyor_agent",
    "MYSQL_AGENT_PASSWORD": "agent-secret",
    "MYSQL_AGENT_RECOVERY_USER": "gr_recovery",
    "MYSQL_AGENT_RECOVERY_PASSWORD": "recovery-secret",
    "MYSQL_AGENT_LOCK_FILE": "/run/lock",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_members_are_read_with_their_ordinals() -> None:
    settings = AgentSettings()
    assert settings.own == Member("mysql-1", Address("127.0.0.1", 3307))
    assert settings.own.ordinal == 1
    assert [(peer.ordinal, str(peer.address)) for peer in settings.peers] == [
        (0, "127.0.0.1:3306"),
        (2, "[fd00::2]:3306"),
    ]
    assert settings.admin_address == Address("127.0.0.1", 33062)


def test_members_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "members"
    monkeypatch.delenv("MYSQL_AGENT_MEMBERS")
    monkeypatch.setenv("MYSQL_AGENT_MEMBERS_FILE", str(file))
    with pytest.raises(ValidationError, match="MYSQL_AGENT_MEMBERS_FILE cannot be read"):
        AgentSettings()
    file.write_text("mysql-0=a:1,mysql-1=b:1")
    assert [peer.name for peer in AgentSettings().peers] == ["mysql-0"]


def test_the_ordinal_is_the_number_at_the_end_of_the_name() -> None:
    assert Member.parse("release-2-mysql-10=db:3306").ordinal == 10


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("MYSQL_AGENT_MEMBERS", "mysql-0=a:1,mysql-0=b:1,mysql-1=c:1", "twice"),
        ("MYSQL_AGENT_MEMBERS", "mysql-0=a:1,mysql-1=a:1", "twice"),
        ("MYSQL_AGENT_MEMBERS", "mysql-0=a:1", "does not contain"),
        ("MYSQL_AGENT_MEMBERS", "mysql=a:1", "ends in its number"),
        ("MYSQL_AGENT_MEMBERS", "mysql-1=a", "is not host:port"),
        ("MYSQL_AGENT_MEMBERS", "", "missing"),
        ("MYSQL_AGENT_ADMIN_ADDRESS", "33062", "is not host:port"),
        ("MYSQL_AGENT_RECOVERY_PASSWORD", "x" * 33, "too_long"),
        ("MYSQL_AGENT_USER", "a'b", "string_pattern_mismatch"),
        ("MYSQL_AGENT_INTERVAL_SECONDS", "0", "greater_than"),
    ],
)
def test_a_wrong_value_stops_the_start_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        AgentSettings()
    assert complaint in str(refused.value) or complaint in {error["type"] for error in refused.value.errors()}


def test_secrets_are_not_shown() -> None:
    shown = repr(AgentSettings())
    assert "agent-secret" not in shown
    assert "recovery-secret" not in shown


def test_the_initialisation_takes_the_accounts_from_their_own_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "MYSQL_INIT_DATADIR": "/data",
        "MYSQL_INIT_DEFAULTS_FILE": "/my.cnf",
        "DB_ADMIN_USER": "admin",
        "DB_ADMIN_PASSWORD": "admin-secret",
        "LOG_LEVEL": "WARNING",
    }.items():
        monkeypatch.setenv(name, value)
    settings = InitializeSettings()
    assert settings.admin_user == "admin"
    assert settings.database == "loadbalancer_db"
    assert settings.command == "mysqld"
    assert settings.log_level == "WARNING"
    assert set(settings.secrets) == {"agent-secret", "recovery-secret", "admin-secret"}


def test_a_setting_is_complained_about_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MYSQL_AGENT_MEMBERS")
    monkeypatch.setenv("MYSQL_AGENT_RECOVERY_PASSWORD", "secret-" * 5)
    with pytest.raises(SystemExit) as ended:
        load(AgentSettings)
    assert "MYSQL_AGENT_MEMBERS: Field required" in str(ended.value)
    assert "secret-secret" not in str(ended.value)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"MYSQL_AGENT_LOCK_FILE": None}, "either MYSQL_AGENT_LOCK_FILE"),
        (
            {"MYSQL_AGENT_LEASE": "conveyor-mysql", "MYSQL_AGENT_KUBERNETES_NAMESPACE": "shop"},
            "either MYSQL_AGENT_LOCK_FILE",
        ),
        ({"MYSQL_AGENT_LEASE": "conveyor-mysql"}, "MYSQL_AGENT_KUBERNETES_NAMESPACE together"),
    ],
)
def test_exactly_one_kind_of_lock_is_to_be_chosen(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], complaint: str
) -> None:
    for name, value in changes.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=complaint):
        load(AgentSettings)


def test_members_in_kubernetes_have_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MYSQL_AGENT_LOCK_FILE")
    monkeypatch.setenv("MYSQL_AGENT_LEASE", "conveyor-mysql")
    monkeypatch.setenv("MYSQL_AGENT_KUBERNETES_NAMESPACE", "shop")
    assert load(AgentSettings).lease == "conveyor-mysql"
