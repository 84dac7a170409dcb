import stat
from pathlib import Path

import pytest

from mysql_agent import accounts

ENVIRONMENT = {
    "MYSQL_AGENT_USER": "conveyor_agent",
    "MYSQL_AGENT_PASSWORD": "agent-secret",
    "MYSQL_AGENT_RECOVERY_USER": "gr_recovery",
    "MYSQL_AGENT_RECOVERY_PASSWORD": "recovery-secret",
    "DB_ADMIN_USER": "admin",
    "DB_ADMIN_PASSWORD": "admin's secret",
}


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "accounts.sql"
    monkeypatch.setenv("MYSQL_ACCOUNTS_FILE", str(path))
    return path


def test_the_command_writes_the_statements_for_its_owner_alone(
    target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target.write_text("left behind by a run before, readable by all")
    target.chmod(0o644)
    accounts.main()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    sql = target.read_text()
    assert "'admin'@'%' IDENTIFIED BY 'admin''s secret'" in sql
    assert "left behind" not in sql
    assert "secret" not in capsys.readouterr().out


def test_a_missing_variable_is_named_and_no_password_is_shown(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DB_ADMIN_USER")
    monkeypatch.setenv("MYSQL_AGENT_RECOVERY_PASSWORD", "much-too-long-" * 3)
    with pytest.raises(SystemExit) as ended:
        accounts.main()
    assert "DB_ADMIN_USER: Field required" in str(ended.value)
    assert "MYSQL_AGENT_RECOVERY_PASSWORD: Value should have at most 32 items" in str(ended.value)
    assert "much-too-long" not in str(ended.value)
    assert not target.exists()


def test_a_path_that_cannot_be_written_is_named(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_ACCOUNTS_FILE", str(target.parent / "missing" / "accounts.sql"))
    with pytest.raises(SystemExit, match=r"cannot write MYSQL_ACCOUNTS_FILE: .*missing"):
        accounts.main()
