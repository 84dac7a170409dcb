"""A release of the chart: Helm's verbs, and what Kubernetes makes of it."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from kube import Kube
from waiting import NotYetError, eventually
from workloads import WORKLOADS, Pod, is_ending, unready

ROOT = Path(__file__).resolve().parents[1]
CHART = ROOT / "charts" / "conveyor"
READY_SECONDS = 300
# the longest grace period of a pod, and some time to notice
GONE_SECONDS = 150
ALIVE = {"Pending", "Running"}
HELM_HOMES = ("CACHE", "CONFIG", "DATA")

Values = dict[str, Any]


class HelmError(Exception):
    """Helm refused; the message is its own."""


class Release:
    """One release of Conveyor in the namespace of its `kube`."""

    def __init__(self, kube: Kube, helm: Path, name: str, access: tuple[str, ...]) -> None:
        self.kube = kube
        self.name = name
        self.fullname = name if "conveyor" in name else f"{name}-conveyor"
        self._helm = (str(helm), "--namespace", kube.namespace, *access)

    def install(self, values: Values, *, timeout_seconds: int = READY_SECONDS) -> None:
        """Install, and return when Helm says that everything is ready."""
        self._deploy("install", values, timeout_seconds)

    def upgrade(self, values: Values, *, timeout_seconds: int = READY_SECONDS) -> None:
        self._deploy("upgrade", values, timeout_seconds)

    def rollback(self, revision: int, *, timeout_seconds: int = READY_SECONDS) -> None:
        arguments = (str(revision), "--wait", "--timeout", f"{timeout_seconds}s")
        self._run("rollback", self.name, *arguments, timeout_seconds=timeout_seconds)

    def uninstall(self, *, timeout_seconds: int = READY_SECONDS) -> None:
        arguments = ("--wait", "--timeout", f"{timeout_seconds}s", "--ignore-not-found")
        self._run("uninstall", self.name, *arguments, timeout_seconds=timeout_seconds)

    def test(self, *, timeout_seconds: int = READY_SECONDS) -> str:
        """Run the chart's own tests and return what Helm says about them."""
        arguments = ("--logs", "--timeout", f"{timeout_seconds}s")
        return self._run("test", self.name, *arguments, timeout_seconds=timeout_seconds)

    def revision(self) -> int:
        listed = json.loads(self._run("history", self.name, "--output", "json", timeout_seconds=30))
        return max(int(entry["revision"]) for entry in listed)

    def component(self, name: str) -> str:
        return f"{self.fullname}-{name}"

    def selector(self, component: str = "") -> str:
        chosen = f",app.kubernetes.io/component={component}" if component else ""
        return f"app.kubernetes.io/instance={self.name}{chosen}"

    def pods(self, component: str = "") -> list[Pod]:
        """List the pods that serve: neither ending nor those of Jobs."""
        found = self.kube.find("Pod", self.selector(component))
        return [
            Pod.of(item)
            for item in found
            if not is_ending(item)
            and not any(owner["kind"] == "Job" for owner in item["metadata"].get("ownerReferences", ()))
            and "helm.sh/hook" not in item["metadata"].get("annotations", {})
        ]

    def imbalance(self, component: str) -> int:
        """Return how many more pods of a component the fullest node has than the emptiest one."""
        pods = Counter(pod.node for pod in self.pods(component))
        on_each = [pods[item["metadata"]["name"]] for item in self.kube.find("Node")]
        return max(on_each) - min(on_each)

    def wait_settled(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Wait until every workload is complete, of one revision and ready, and no pod is ending."""

        def settled() -> None:
            items = [item for kind in WORKLOADS for item in self.kube.find(kind, self.selector())]
            lacking = [line for item in items if (line := unready(item))]
            pods = self.kube.find("Pod", self.selector())
            lacking += [f"{item['metadata']['name']} is ending" for item in pods if is_ending(item)]
            lacking += [str(pod) for pod in self.pods() if not pod.ready]
            lacking += self._waiting_for_their_scaler()
            if not items or lacking:
                raise NotYetError("; ".join(lacking) or f"there is nothing of {self.name}")

        eventually(f"everything of release {self.name} is ready", settled, timeout_seconds)

    def wait_gone(self, timeout_seconds: float = GONE_SECONDS) -> None:
        """Wait until no pod runs; Helm waits for what owns them, which Kubernetes ends in its own time."""

        def gone() -> None:
            found = self.kube.find("Pod", self.selector())
            left = [pod["metadata"]["name"] for pod in found if pod["status"]["phase"] in ALIVE]
            if left:
                raise NotYetError(f"still there: {', '.join(left)}")

        eventually(f"no pod of release {self.name} runs", gone, timeout_seconds)

    def _waiting_for_their_scaler(self) -> list[str]:
        """Say which scaled workloads do not have the pods yet that are the least of them."""
        return [
            f"{scaler['metadata']['name']} has {current} pods, at least {least}"
            for scaler in self.kube.find("HorizontalPodAutoscaler", self.selector())
            if (current := scaler.get("status", {}).get("currentReplicas", 0))
            < (least := scaler["spec"]["minReplicas"])
        ]

    def _deploy(self, verb: str, values: Values, timeout_seconds: int) -> None:
        arguments = ("--values", "-", "--wait", "--timeout", f"{timeout_seconds}s")
        self._run(
            verb, self.name, str(CHART), *arguments, stdin=json.dumps(values), timeout_seconds=timeout_seconds
        )

    def _run(self, *arguments: str, timeout_seconds: float, stdin: str = "") -> str:
        homes = {f"HELM_{kind}_HOME": str(ROOT / ".cache" / "helm" / kind) for kind in HELM_HOMES}
        done = subprocess.run(
            [*self._helm, *arguments],
            input=stdin,
            env={**os.environ, **homes},
            capture_output=True,
            text=True,
            timeout=timeout_seconds + 60,
            check=False,
        )
        if done.returncode:
            raise HelmError(f"helm {arguments[0]}: {done.stderr.strip()}\n{done.stdout.strip()}".strip())
        return done.stdout
