"""Which Helm the tests run."""

import platform
import subprocess
from pathlib import Path

import pytest

from helm import LAYERS, MissingToolError, helm_binary, kubectl_binary

find_helm = helm_binary.__wrapped__
find_kubectl = kubectl_binary.__wrapped__


@pytest.fixture
def own_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a Helm of version 4.9.9 on PATH."""
    binary = tmp_path / "helm"
    binary.write_text("#!/bin/sh\nprintf v4.9.9\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("HELM", raising=False)
    return binary


def test_the_machines_own_helm_is_taken_if_its_major_version_fits(own_helm: Path) -> None:
    assert find_helm("4.1") == own_helm
    assert find_helm("3.18") == LAYERS["3.18"].directory / "helm"


def test_what_is_named_goes_before_what_is_on_path(own_helm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = own_helm.with_name("other")
    named.write_bytes(own_helm.read_bytes())
    named.chmod(0o755)
    monkeypatch.setenv("HELM", str(named))
    assert find_helm("4.1") == named
    monkeypatch.setenv("HELM", str(own_helm.with_name("missing")))
    assert find_helm("4.1") == own_helm


@pytest.mark.parametrize("version", LAYERS)
def test_the_pinned_helms_are_of_the_versions_that_they_are_called_by(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("HELM", raising=False)
    argv = [str(find_helm(version)), "version", "--template", "{{.Version}}"]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout
    assert said.startswith(f"v{version}.")


def test_a_machine_that_the_pinned_ones_do_not_run_on_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("HELM", raising=False)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(MissingToolError, match=r"install helm, or name it in \$HELM"):
        find_helm("4.1")
    with pytest.raises(MissingToolError, match=r"install kubectl, or name it in \$KUBECTL"):
        find_kubectl()
    assert not (tmp_path / "conveyor").exists()
