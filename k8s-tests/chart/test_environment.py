"""What the chart gives each process is what it reads, and all that it needs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from pydantic_settings import BaseSettings

from app.credentials.rotation.settings import RotationSettings
from app.credentials.settings import CredentialsSettings
from app.main import create_app
from app.settings import Settings
from chart.manifests import Manifests, Pod
from chart.presets import OWN_SERVERS, PRESETS
from chart.rendering import render
from mysql_agent.settings import AccountsFileSettings, AgentSettings
from mysql_archive.settings import ArchiveSettings, PlanSettings

COMMANDS: dict[str, type[BaseSettings]] = {
    "api": Settings,
    "worker": Settings,
    "relay": Settings,
    "flower": Settings,
    "migrate": Settings,
    "wait-for-migrations": Settings,
    "mysql-agent": AgentSettings,
    "mysql-accounts": AccountsFileSettings,
    "credentials": CredentialsSettings,
    "mysql-archive": ArchiveSettings,
    "mysql-archive-plan": PlanSettings,
    "rotate-passwords": RotationSettings,
}
FIELDS = {"metadata.name": "demo-conveyor-mysql-0", "metadata.namespace": "platform"}
# 30 characters, as long as a password may be
DRAWN = "0123456789abcdef0123456789abcd"
FOR_OTHER_VARIABLES = {"POD_NAME", "POD_NAMESPACE"}
FOR_TASKS = {"TZ"}
FOR_THE_SDK = {"OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}  # which reads them by itself


def variables_of(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config.get("env_prefix", "")
    return {
        str(field.validation_alias or f"{prefix}{name}").upper()
        for name, field in settings.model_fields.items()
    }


def environment(manifests: Manifests, pod: Pod, name: str) -> dict[str, str]:
    """Return what the process would find, with a stand-in for every password."""
    found: dict[str, str] = {}
    container = pod.container(name)
    for source in container.env_from or []:
        settings = manifests.named()[f"ConfigMap/{source.config_map_ref and source.config_map_ref.name}"]
        found.update(settings["data"])
    for variable in container.env or []:
        reference = variable.value_from
        if variable.value is not None:
            found[variable.name] = variable.value
        elif reference and reference.secret_key_ref:
            found[variable.name] = f"user:{DRAWN[:20]}" if "basic" in reference.secret_key_ref.key else DRAWN
        elif reference and reference.field_ref:
            found[variable.name] = FIELDS[reference.field_ref.field_path]
    for name_, value in found.items():
        found[name_] = value.replace("$(POD_NAME)", FIELDS["metadata.name"]).replace(
            "$(POD_NAMESPACE)", FIELDS["metadata.namespace"]
        )
    return found


def processes(preset: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every process of our code: where it runs, its command and its environment."""
    manifests = PRESETS[preset].rendered()
    for pod in manifests.pods:
        for container in pod.containers:
            command = (container.command or [""])[0]
            if command in COMMANDS:
                where = f"{container.name} of {pod.owner}"
                yield where, command, environment(manifests, pod, container.name)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_variable_is_a_setting_of_its_process(preset: str) -> None:
    for where, command, variables in processes(preset):
        read = variables_of(COMMANDS[command])
        assert set(variables) - read - FOR_OTHER_VARIABLES - FOR_TASKS - FOR_THE_SDK == set(), where


@pytest.mark.parametrize("preset", PRESETS)
def test_every_process_finds_what_it_needs(
    preset: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    members = tmp_path / "members"
    members.write_text(f"{FIELDS['metadata.name']}=db:3306")
    for where, command, variables in processes(preset):
        for variable in list(os.environ):
            monkeypatch.delenv(variable)
        for variable, value in variables.items():
            monkeypatch.setenv(variable, str(members) if variable == "MYSQL_AGENT_MEMBERS_FILE" else value)
        settings = COMMANDS[command]()
        if command == "api":
            assert isinstance(settings, Settings)
            assert settings.api_metrics_port == 9102
            assert create_app(settings).title == "Conveyor"
        if command == "flower":
            assert isinstance(settings, Settings)
            assert settings.flower_basic_auth, where


def test_traces_are_sent_where_the_values_say_at_the_rate_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    data = PRESETS["everything"].rendered().named()["ConfigMap/demo-conveyor-settings"]["data"]
    for name in (*FOR_THE_SDK, "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.setenv(name, data[name])
    settings = Settings.model_validate({"db_password": "unused"})
    assert settings.traces_endpoint == "http://collector.monitoring:4318/v1/traces"
    assert TracerProvider(shutdown_on_exit=False).sampler.get_description().count("0.05") == 1
    default = PRESETS["default"].rendered().named()["ConfigMap/demo-conveyor-settings"]["data"]
    assert not any(name.startswith("OTEL_") for name in default)


def test_every_container_of_our_image_runs_a_command_that_is_known() -> None:
    for pod in PRESETS["everything"].rendered().pods:
        for container in pod.containers:
            if "/conveyor:" in str(container.image) and pod.component != "test":
                assert (container.command or [""])[0] in COMMANDS, f"{container.name} of {pod.owner}"


def test_the_settings_of_a_process_roll_its_pods_when_they_change() -> None:
    for preset, component in (("default", "api"), ("default", "worker"), ("default", "relay")):
        (pod,) = PRESETS[preset].rendered().pods_of(component)
        (other, *_) = PRESETS["everything"].rendered().pods_of(component)
        assert pod.annotations["checksum/settings"] != other.annotations["checksum/settings"]


def test_each_agent_knows_all_members_and_itself_among_them() -> None:
    manifests = PRESETS["everything"].rendered()
    (mysql,) = manifests.pods_of("mysql")
    variables = environment(manifests, mysql, "agent")
    folder, _, key = variables["MYSQL_AGENT_MEMBERS_FILE"].rpartition("/")
    assert folder in {mount.mount_path for mount in mysql.container("agent").volume_mounts or []}
    listed = manifests.named()["ConfigMap/demo-conveyor-mysql"]["data"][key]
    domain = "demo-conveyor-mysql.platform.svc.cluster.local"
    assert listed.split(",") == [
        f"{name}={name}.{domain}:3306" for name in (f"demo-conveyor-mysql-{ordinal}" for ordinal in range(5))
    ]
    assert variables["MYSQL_AGENT_LEASE"] == "demo-conveyor-mysql"
    assert "MYSQL_AGENT_LOCK_FILE" not in variables


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (
            "default",
            {
                "DB_MASTER_HOST": "demo-conveyor-mysql-primary:3306",
                "DB_SLAVE1_HOST": "demo-conveyor-mysql-replicas:3306",
                "DB_MEMBERS": "3",
                "REDIS_HOST": "demo-conveyor-redis",
                "REDIS_PORT": "6379",
                "REDIS_DB": "0",
            },
        ),
        (
            "as-little-as-can-be",
            {"DB_MASTER_HOST": "demo-conveyor-mysql-primary:3306", "DB_SLAVE1_HOST": None, "DB_MEMBERS": "1"},
        ),
        (
            "own-servers",
            {
                "DB_MASTER_HOST": "db.example.com:3306",
                "DB_SLAVE1_HOST": "db-r1.example.com:3306",
                "DB_SLAVE2_HOST": "db-r2.example.com:3307",
                "DB_MEMBERS": None,
                "REDIS_HOST": "redis.example.com",
                "REDIS_PORT": "6380",
                "REDIS_DB": "2",
            },
        ),
    ],
)
def test_the_application_is_led_to_its_servers(preset: str, expected: dict[str, str | None]) -> None:
    data = PRESETS[preset].rendered().named()["ConfigMap/demo-conveyor-settings"]["data"]
    assert {name: data.get(name) for name in expected} == expected


def test_a_replica_without_a_port_is_asked_at_that_of_mysql() -> None:
    external = {**OWN_SERVERS["mysql"]["external"], "replicaHosts": ["replica.example.com"]}
    manifests = render({**OWN_SERVERS, "mysql": {"external": external}})
    data = manifests.named()["ConfigMap/demo-conveyor-settings"]["data"]
    assert data["DB_SLAVE1_HOST"] == data["DB_SLAVE2_HOST"] == "replica.example.com:3306"
    egress = manifests.named()["NetworkPolicy/demo-conveyor-api"]["spec"]["egress"]
    assert {port["port"] for rule in egress for port in rule["ports"]} == {53, 6380, 3306}


def test_flower_asks_for_events_only_where_that_is_asked_for() -> None:
    for values, expected in (({}, False), ({"flower": {"events": True}}, True)):
        manifests = render(values)
        (pod,) = manifests.pods_of("flower")
        assert ("FLOWER_EVENTS" in environment(manifests, pod, "flower")) is expected


def test_relay_and_api_know_how_old_a_backup_may_be() -> None:
    manifests = PRESETS["everything"].rendered()
    for component in ("api", "relay"):
        (pod,) = manifests.pods_of(component)
        assert environment(manifests, pod, component)["BACKUP_MAX_AGE_HOURS"] == "26"
    assert "BACKUP_MAX_AGE_HOURS" not in PRESETS["default"].rendered().text
