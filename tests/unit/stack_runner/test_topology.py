from pathlib import Path

import pytest

from stack.application import Plan
from stack.credentials import Credentials, load_credentials
from stack.packages import PROGRAMS, Daemons
from stack.ports import fixed_ports
from stack.probes import ExitProbe
from stack.service import Service, TopologyError, chosen, in_start_order
from stack.topology import services


def service(name: str, needs: tuple[str, ...] = (), uses: tuple[str, ...] = ()) -> Service:
    return Service(name, ("true",), ExitProbe(), needs=needs, uses=uses)


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    return load_credentials(tmp_path / "secrets.json")


@pytest.fixture
def conveyor(tmp_path: Path, credentials: Credentials) -> list[Service]:
    argv: dict[str, tuple[str, ...]] = {program.name: (f"/usr/sbin/{program.name}",) for program in PROGRAMS}
    return services(Plan(tmp_path, fixed_ports({}), credentials, Daemons(argv)))


def test_services_follow_what_they_need_and_what_they_use() -> None:
    ordered = in_start_order(
        [service("api", ("db",), ("queue",)), service("queue"), service("db", ("disk",)), service("disk")]
    )
    names = [item.name for item in ordered]
    assert names.index("disk") < names.index("db") < names.index("api")
    assert names.index("queue") < names.index("api")


def test_an_unknown_need_is_named() -> None:
    with pytest.raises(TopologyError, match="api needs db"):
        in_start_order([service("api", ("db",))])


def test_a_circle_is_named() -> None:
    with pytest.raises(TopologyError, match=r"circle: .* → "):
        in_start_order([service("a", ("b",)), service("b", uses=("a",))])


def test_chosen_parts_bring_what_they_rest_on() -> None:
    everything = [
        service("disk"),
        service("db-0", ("disk",)),
        service("api-1", uses=("db-0",)),
        service("other"),
    ]
    assert [item.name for item in chosen(everything, ["api"])] == ["disk", "db-0", "api-1"]
    assert chosen(everything, []) == everything
    with pytest.raises(TopologyError, match="no part is called web"):
        chosen(everything, ["web"])


def test_the_kind_of_a_service_is_its_name_without_the_number() -> None:
    assert service("worker-2").kind == "worker"
    assert service("haproxy").kind == "haproxy"
    assert service("mysql-init-0").kind == "mysql-init"


def test_conveyor_has_every_part_and_an_order(conveyor: list[Service]) -> None:
    names = [item.name for item in in_start_order(conveyor)]
    kinds = {item.kind for item in conveyor}
    assert {
        "mysql",
        "agent",
        "redis",
        "migrate",
        "api",
        "worker",
        "relay",
        "flower",
        "prometheus",
        "haproxy",
    } <= kinds
    assert names.index("mysql-0") < names.index("agent-0") < names.index("haproxy") < names.index("migrate")


def test_everything_that_writes_stops_before_the_data_stores(conveyor: list[Service]) -> None:
    for item in conveyor:
        if item.kind in {"api", "worker", "relay", "flower"}:
            assert {"haproxy", "redis"} <= set(item.outlived_by), item.name


def test_no_password_is_in_a_command_line_or_in_a_printed_service(
    conveyor: list[Service], credentials: Credentials
) -> None:
    secrets = [value for name, value in vars(credentials).items() if name != "group_name"]
    for item in conveyor:
        shown = f"{item!r} {item.argv}"
        assert not [secret for secret in secrets if secret in shown], item.name


def test_every_process_has_a_port_of_its_own(conveyor: list[Service]) -> None:
    names = ("API_PORT", "WORKER_METRICS_PORT", "RELAY_METRICS_PORT", "FLOWER_PORT", "MYSQL_AGENT_HTTP_PORT")
    ports = [
        item.env[name]
        for item in conveyor
        for name in names
        if name in item.env and not item.name.startswith("mysql-init")
    ]
    assert len(ports) == 11
    assert len(set(ports)) == len(ports)


def test_the_tunable_settings_are_left_to_the_environment(conveyor: list[Service]) -> None:
    tunable = {"TASK_MODULES", "TASK_RETRY_DELAY_SECONDS", "TASK_LEASE_SECONDS", "LOG_LEVEL"}
    assert not [item.name for item in conveyor if tunable & set(item.env)]
