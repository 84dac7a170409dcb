"""docker/ says the same as the configuration of the local stack, but for addresses and paths."""

import re
from collections.abc import Iterator

import yaml

from stack.daemons import haproxy, prometheus
from stack.daemons.rendering import render
from stack.ports import fixed_ports
from tests.configurations import MY_CNF_PLACES, my_cnf_of_the_stack, options, without
from tests.unit.compose.conftest import ROOT

PLACES = {"bind", "server", "monitor-uri"}


def sections(text: str) -> dict[str, list[str]]:
    """Return HAProxy's sections by name, without comments and without addresses."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not line.startswith(" "):
            current = found.setdefault(" ".join(words), [])
        elif words[0] not in PLACES:
            current.append(" ".join(words))
    return found


def read(name: str) -> str:
    return (ROOT / "docker" / name).read_text(encoding="utf-8")


def test_the_front_door_is_the_same_with_and_without_containers() -> None:
    local, docker = sections(haproxy.configuration(fixed_ports({}))), sections(read("haproxy.cfg"))
    for section in ("global", "frontend http", "backend api", "backend flower", "frontend stats"):
        assert docker[section] == local[section], section
    assert set(local["defaults"]) <= set(docker["defaults"])


def test_the_way_to_the_members_is_the_same_with_and_without_containers() -> None:
    local, docker = sections(haproxy.configuration(fixed_ports({}))), sections(read("haproxy.cfg"))
    for role in ("primary", "replicas"):
        ours = {*docker[f"listen mysql_{role}"], *docker[f"backend agents_{role}"]}
        theirs = set(local[f"listen mysql_{role}"])
        assert set(split_defaults(ours)) == set(split_defaults(theirs))


def split_defaults(lines: set[str]) -> Iterator[str]:
    """Take `default-server` apart: what one section says in a line, two sections say in two."""
    for line in lines:
        if line.startswith("default-server "):
            yield from re.findall(r"check|(?:inter|fall|rise|on-marked-down) \S+", line)
        else:
            yield line


def test_every_check_leads_to_an_agent_of_its_own_member() -> None:
    text = read("haproxy.cfg")
    for role in ("primary", "replicas"):
        for ordinal, name in enumerate(("master", "slave1", "slave2")):
            assert f"server mysql-{ordinal} mysql_{name}_agent:8008" in text
            assert f"server mysql-{ordinal} mysql-{ordinal}:3306 track agents_{role}/mysql-{ordinal}" in text


def test_the_servers_run_with_the_settings_of_the_local_stack() -> None:
    docker = options(read("mysql/my.cnf"))
    assert without(docker, MY_CNF_PLACES) == without(my_cnf_of_the_stack(), MY_CNF_PLACES)


def test_redis_runs_with_the_settings_of_the_local_stack() -> None:
    rendered = render("redis.conf.j2", port=6379, password="unused", directory="/data")
    local, docker = options(rendered), options(read("redis.conf"))
    assert without(local, {"bind", "port", "requirepass"}) == docker


def test_prometheus_asks_the_same_processes() -> None:
    jobs = [job["job_name"] for job in yaml.safe_load(read("prometheus.yml"))["scrape_configs"]]
    assert jobs == list(prometheus.JOBS)
