"""A person's shell at the release: with Helm, with kubectl, and in the right namespace."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from helm import helm_binary, kubectl_binary
from release import ROOT, Release


class Shell:
    def __init__(self, release: Release, kubeconfig: Path, context: str, folder: Path) -> None:
        _write_kubectl(folder / "kubectl", context, release.kube.namespace)
        tools = (str(folder), str(helm_binary("4.1").parent), os.environ["PATH"])
        self._environment = {
            "PATH": os.pathsep.join(tools),
            "HOME": os.environ["HOME"],
            "KUBECONFIG": str(kubeconfig),
            "HELM_KUBECONTEXT": context,
            "HELM_NAMESPACE": release.kube.namespace,
        }

    def run(
        self, script: str, options: str, variables: Mapping[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in a bash with these options; it may fail."""
        return subprocess.run(
            ["bash", options, script],
            cwd=ROOT,
            env={**self._environment, **variables},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def _write_kubectl(path: Path, context: str, namespace: str) -> None:
    """Stand in for a person's current context; kubectl has no variables for these two."""
    argv = [str(kubectl_binary()), "--context", context, "--namespace", namespace]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(argv)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
