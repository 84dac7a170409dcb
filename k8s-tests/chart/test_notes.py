"""What Helm prints after an installation: the next three commands, which must work."""

import re
import subprocess

from chart.rendering import CHART, NAMESPACE, render
from helm import helm_binary


def notes(*settings: str) -> str:
    # Helm 4, for Helm 3 asks a cluster even here
    argv = [str(helm_binary("4.1")), "install", "demo", str(CHART), "--namespace", NAMESPACE]
    argv += ["--dry-run=client", *(word for setting in settings for word in ("--set", setting))]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.partition("\nNOTES:\n")[2]


def test_the_next_three_commands_name_what_is_there() -> None:
    text = notes()
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2", "3"]
    names = render().named()
    for service in re.findall(r"service/([\w-]+)", text):
        assert f"Service/{service}" in names
    commands = [line.strip() for line in text.splitlines() if line.startswith("   ")]
    assert [command.partition(" ")[0] for command in commands] == ["kubectl", "kubectl", "helm", "kubectl"]
    assert all(f"--namespace {NAMESPACE}" in command for command in commands)
    assert "demo-conveyor-credentials" in text
    assert "flower-basic-auth" in text


def test_nothing_is_said_of_what_is_not_there() -> None:
    assert "Flower" not in notes("flower.enabled=false")
    assert "Flower (/flower of the Ingress)" in notes("flower.route=true")


def test_whoever_restores_is_told_how_to_go_on() -> None:
    text = notes("backup.enabled=true", "restore.from=a.sql.gz")
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2", "3"]
    assert "--set restore.from=" in text


def test_whoever_goes_back_to_a_second_is_told_how_to_load_it() -> None:
    archived = ("backup.enabled=true", "backup.pointInTime.enabled=true")
    text = notes(*archived, "restore.until=2026-11-25T10:00:00Z")
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2"]
    assert "--set restore.until= --set restore.from=" in text
