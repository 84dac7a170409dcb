import pytest
from pydantic import ValidationError

from app.settings import BUILT_IN_TASK_MODULES, Settings, load_settings
from app.tasks.broker import transport_options


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DB_PASSWORD", "correct horse")


def test_the_historic_names_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_MASTER_HOST", "mysql_master:3307")
    monkeypatch.setenv("REDIS_HOST", "redis_broker")
    settings = load_settings()
    assert settings.db_master_host == "mysql_master:3307"
    assert settings.redis_url(1) == "redis://redis_broker:6379/1"


def test_by_default_the_tasks_of_a_dead_worker_start_again_within_two_minutes() -> None:
    settings = load_settings()
    looks_every_seconds = transport_options(settings, socket_timeout_seconds=1)["unacked_restore_interval"]
    assert settings.task_lease_seconds + settings.relay_interval_seconds < 120
    assert settings.visibility_timeout_seconds + looks_every_seconds < 120


def test_a_missing_password_ends_the_process_with_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PASSWORD")
    with pytest.raises(SystemExit, match=r"DB_PASSWORD: Field required"):
        load_settings()


def test_an_invalid_environment_never_shows_what_it_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "too-short")
    with pytest.raises(SystemExit) as ended:
        load_settings()
    assert "SECRET_KEY" in str(ended.value)
    assert "too-short" not in str(ended.value)
    assert "correct horse" not in str(ended.value)


def test_an_administrator_without_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_ADMIN_USER", "root")
    with pytest.raises(SystemExit, match="DB_ADMIN_USER is set without DB_ADMIN_PASSWORD"):
        load_settings()


def test_own_task_modules_come_after_the_built_in_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_MODULES", "mail.tasks, ,billing")
    assert load_settings().all_task_modules == (*BUILT_IN_TASK_MODULES, "mail.tasks", "billing")


def test_two_names_for_one_replica_endpoint_make_one_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_SLAVE1_HOST", "replicas:3306")
    monkeypatch.setenv("DB_SLAVE2_HOST", "replicas:3306")
    assert load_settings().replica_hosts == ("replicas:3306",)


def test_the_redis_password_is_part_of_the_url_and_of_nothing_that_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "opensesame")
    settings = load_settings()
    assert settings.redis_url(0) == "redis://:opensesame@localhost:6379/0"
    assert "opensesame" not in repr(settings)


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.redis_port = 1  # type: ignore[misc] # the point of the test


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
