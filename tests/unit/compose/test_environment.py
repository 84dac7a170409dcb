"""What compose.yaml passes is what the processes read, and all that they need."""

import os
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from app.main import create_app
from app.settings import Settings
from mysql_agent.settings import AgentSettings, InitializeSettings
from tests.unit.compose.conftest import ROOT
from worker.flower import flower_options

Services = dict[str, dict[str, Any]]
SETTINGS: dict[str, type[BaseSettings]] = {
    "app": Settings,
    "app.migrations": Settings,
    "worker": Settings,
    "worker.relay": Settings,
    "worker.flower": Settings,
    "mysql_agent": AgentSettings,
}
DOCUMENT = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OURS = [name for name, service in DOCUMENT["services"].items() if service["image"] == "conveyor:local"]


def module_of(service: dict[str, Any]) -> str:
    python, flag, module = service["command"]
    assert (python, flag) == ("python", "-m")
    return str(module)


def variables_of(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config.get("env_prefix", "")
    return {
        str(field.validation_alias or f"{prefix}{name}").upper()
        for name, field in settings.model_fields.items()
    }


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, services: Services, request: pytest.FixtureRequest) -> str:
    """Set the environment of a service, and nothing else; returns its module."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    service = services[request.param]
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value)
    return module_of(service)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_of_its_process(name: str, services: Services) -> None:
    service = services[name]
    assert set(service["environment"]) - variables_of(SETTINGS[module_of(service)]) == set()
    assert all(isinstance(value, str) for value in service["environment"].values())


@pytest.mark.parametrize("started", OURS, indirect=True)
def test_every_process_finds_the_settings_that_it_needs(started: str) -> None:
    settings = SETTINGS[started]()
    if not isinstance(settings, Settings):
        return
    assert settings.db_members == 3
    if started == "app":
        assert create_app(settings).title == "Conveyor"
    if started == "worker.flower":
        assert flower_options(settings)["basic_auth"]
    if started == "app.migrations":
        assert settings.db_admin_user
        assert settings.seed_demo_users


def test_the_account_of_the_administrator_reaches_the_migrations_alone(services: Services) -> None:
    holders = {name for name in OURS if "DB_ADMIN_PASSWORD" in services[name]["environment"]}
    assert holders == {"migrations"}


def test_the_mysql_containers_get_what_makes_the_accounts(services: Services) -> None:
    given = variables_of(InitializeSettings)
    made_by_the_script = {"MYSQL_INIT_DATADIR", "MYSQL_INIT_DEFAULTS_FILE", "MYSQL_INIT_COMMAND"}
    optional = {"MYSQL_INIT_TIMEOUT_SECONDS", "LOG_LEVEL", "LOG_FORMAT"}
    for name in ("mysql_master", "mysql_slave1", "mysql_slave2"):
        assert set(services[name]["environment"]) == given - made_by_the_script - optional


@pytest.mark.parametrize(("name", "ordinal"), [("mysql_master", 0), ("mysql_slave1", 1), ("mysql_slave2", 2)])
def test_a_member_and_its_agent_agree_on_names_and_ports(name: str, ordinal: int, services: Services) -> None:
    address = f"mysql-{ordinal}"
    member, agent = services[name], services[f"{name}_agent"]["environment"]
    assert member["networks"] == {"default": {"aliases": [address]}}
    assert member["command"] == [
        f"--server-id={101 + ordinal}",
        f"--report-host={address}",
        f"--admin-address={address}",
        f"--loose-group-replication-local-address={address}:3306",
    ]
    assert (agent["MYSQL_AGENT_NAME"], agent["MYSQL_AGENT_ADMIN_ADDRESS"]) == (address, f"{address}:33062")
    assert f"{address}={address}:3306" in agent["MYSQL_AGENT_MEMBERS"].split(",")
