"""What other people's linters say of the chart."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chart.checkov import checkov_command
from chart.presets import PRESETS
from chart.rendering import CHART, HELM_VERSIONS
from helm import helm_binary

# each of them with its reason
SKIPPED = {
    "CKV_K8S_8": "what ends by itself (tests, backups) is not asked whether it lives",
    "CKV_K8S_9": "as above: nobody sends requests to it",
    "CKV_K8S_11": "a limit of CPU slows a pod down while its node idles; memory has limits",
    "CKV_K8S_15": "tags that name a version do not change; `image.pullPolicy` is a value",
    "CKV_K8S_21": "the namespace is the release's, given to Helm",
    "CKV_K8S_35": "the settings come from the environment; so do the passwords, by reference to the Secret",
    "CKV_K8S_40": "999 is the user of the images of MySQL and Redis, who owns their data",
    "CKV_K8S_43": "`image.digest` is a value; the tags of the default images name versions",
}


@pytest.mark.parametrize("helm", HELM_VERSIONS)
@pytest.mark.parametrize("files", [(), ("values-dev.yaml",), ("values-production.yaml",)], ids=str)
def test_helm_finds_nothing_to_complain_about(helm: str, files: tuple[str, ...]) -> None:
    argv = [str(helm_binary(helm)), "lint", "--strict", str(CHART)]
    for file in files:
        argv += ["--values", str(CHART / file)]
    if "values-production.yaml" in files:  # it asks for a cluster with the Prometheus operator
        argv += ["--set", "monitoring.enabled=false"]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_checkov_finds_nothing_but_what_is_meant_to_be(tmp_path: Path) -> None:
    for name in ("default", "everything", "production", "restore"):
        (tmp_path / f"{name}.yaml").write_text(PRESETS[name].rendered().text, encoding="utf-8")
    argv = [*checkov_command(), "--directory", str(tmp_path), "--framework", "kubernetes"]
    argv += ["--skip-download", "--quiet", "--compact", "--skip-check", ",".join(SKIPPED)]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "FAILED" not in result.stdout


def test_shellcheck_finds_nothing_in_the_scripts_of_the_pods() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    scripts = [str(path) for path in (CHART / "files").rglob("*.sh")]
    assert len(scripts) == 8
    result = subprocess.run([shellcheck, *scripts], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout


def test_the_packed_chart_holds_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    argv = [str(helm_binary("4.1")), "package", str(CHART), "--destination", str(tmp_path)]
    subprocess.run(argv, capture_output=True, timeout=60, check=True)
    (package,) = tmp_path.glob("*.tgz")
    listed = subprocess.run(["tar", "-tzf", package], capture_output=True, text=True, timeout=60, check=True)
    packed = {name.removeprefix("conveyor/") for name in listed.stdout.split()}
    tracked = {str(path.relative_to(CHART)) for path in CHART.rglob("*") if path.is_file()}
    assert packed - {"Chart.lock"} == {name for name in tracked if not re.search(r"__pycache__|\.pyc$", name)}
    assert package.stat().st_size < 100_000
