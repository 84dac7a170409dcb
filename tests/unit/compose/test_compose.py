import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.unit.compose.conftest import ROOT, VARIABLE

OURS = "conveyor:local"
Services = dict[str, dict[str, Any]]


def test_compose_yaml_fits_the_compose_specification(compose: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(compose)


def test_the_schema_notices_a_misspelt_option(compose: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
    wrong = {**compose, "services": {"redis_broker": {"image": "redis:8", "healthchek": {}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wrong)


def test_the_services_have_the_names_that_people_know(services: Services) -> None:
    known = {"redis_broker", "celery_worker", "celery_relay", "mysql_master", "mysql_slave1", "mysql_slave2"}
    assert known | {"fastapi_app1", "fastapi_app2", "fastapi_app3", "flower", "prometheus"} <= set(services)


def test_every_image_names_its_version(services: Services) -> None:
    images = {service["image"] for service in services.values()}
    assert images == {OURS, "mysql:9.7", "redis:8", "haproxy:3.2", "prom/prometheus:v3.5.0"}
    assert {service.get("build") for service in services.values() if service["image"] == OURS} == {"."}


def test_nothing_is_published_beyond_this_machine(services: Services) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"loadbalancer": ["127.0.0.1:8090:8090"], "prometheus": ["127.0.0.1:9090:9090"]}


def test_every_container_has_a_read_only_root_and_no_privileges(services: Services) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_everything_but_the_migrations_has_a_health_check_and_restarts(services: Services) -> None:
    without = {name for name, service in services.items() if "healthcheck" not in service}
    assert without == {"migrations"}
    assert {name for name, service in services.items() if service["restart"] != "unless-stopped"} == without


def test_services_wait_for_what_exists_and_can_be_waited_for(services: Services) -> None:
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert condition == (
                "service_completed_successfully" if needed == "migrations" else "service_healthy"
            )


def test_whatever_is_mounted_exists_and_every_volume_is_declared(
    services: Services, compose: dict[str, Any]
) -> None:
    sources = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    files = {source for source in sources if source.startswith("./")}
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert sources - files == set(compose["volumes"])


def test_no_password_is_an_argument(services: Services, compose_text: str) -> None:
    secret = set(VARIABLE.findall(compose_text))
    for service in services.values():
        argv = " ".join((*service.get("entrypoint", ()), *service.get("command", ())))
        assert not secret & set(re.findall(r"\w+", argv))


def test_passwords_are_drawn_once_for_every_variable_and_only_for_their_owner(
    tmp_path: Path, compose_text: str
) -> None:
    script = tmp_path / "docker" / "make-env.sh"
    script.parent.mkdir()
    script.write_bytes((ROOT / "docker" / "make-env.sh").read_bytes())
    subprocess.run(["sh", script], check=True, timeout=20)
    env = tmp_path / ".env"
    drawn = dict(line.split("=") for line in env.read_text().splitlines())
    assert set(drawn) == set(VARIABLE.findall(compose_text))
    assert len(set(drawn.values())) == len(drawn)
    assert all(re.fullmatch("[0-9a-f]{30}", value) for value in drawn.values())
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    again = subprocess.run(["sh", script], check=False, capture_output=True, text=True, timeout=20)
    assert (again.returncode, "docker compose down --volumes" in again.stderr) == (1, True)
    assert dict(line.split("=") for line in env.read_text().splitlines()) == drawn


def test_every_variable_to_fill_in_names_the_cure(compose_text: str) -> None:
    assert len(re.findall(r"(?<!\$)\$\{", compose_text)) == len(VARIABLE.findall(compose_text))
