"""Programs of Kubernetes, built from Go modules into the user's cache: once per content of a module."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.apt import cache_home

MODULES = Path(__file__).resolve().parent / "go"
KUBERNETES = "1.34.4"
BUILD_SECONDS = 1800
LOW_PRIORITY = ("nice", "-n", "15")
# Debian has no Go of this age; its own installer puts it here without touching PATH.
GO_FOLDERS = ("/usr/local/go/bin", "/usr/lib/go/bin")
LOG_LINES = 20

Report = Callable[[str], None]


class BuildError(Exception):
    """A program could not be built; the message names the cure or shows the compiler's last lines."""


@dataclass(frozen=True)
class Part:
    """A Go module in a folder of its own, because the parts' dependencies disagree."""

    name: str
    programs: Mapping[str, str]
    stamps: tuple[str, ...] = ()

    @property
    def sources(self) -> list[Path]:
        return sorted(
            path for path in (MODULES / self.name).iterdir() if path.suffix in {".mod", ".sum", ".go"}
        )

    def digest(self) -> str:
        seen = hashlib.sha256(repr((sorted(self.programs.items()), self.stamps)).encode())
        for path in self.sources:
            seen.update(path.name.encode() + b"\0" + path.read_bytes())
        return seen.hexdigest()[:12]


def _kubernetes_stamps(version: str) -> tuple[str, ...]:
    # helm and the chart compare versions, and an unstamped build says v0.0.0
    major, minor, _ = version.split(".")
    stamped = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return tuple(f"-X {package}.{name}={value}" for package in packages for name, value in stamped.items())


PARTS = (
    Part(
        "kubernetes",
        {
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                "kubelet",
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kube-proxy",
            )
        },
        _kubernetes_stamps(KUBERNETES),
    ),
    Part("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Part("coredns", {"coredns": "."}),
    Part("metrics-server", {"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"}),
    Part("local-path-provisioner", {"local-path-provisioner": "github.com/rancher/local-path-provisioner"}),
    Part("pause", {"pause": "."}),
)

# no part of a cluster: the images of tests of backups are made of it
RCLONE = Part("rclone", {"rclone": "."})


def find_go(path: str | None = None) -> str:
    searched = os.pathsep.join((path or os.environ.get("PATH", os.defpath), *GO_FOLDERS))
    if found := shutil.which("go", path=searched):
        return found
    raise BuildError(
        "go is missing: it builds Kubernetes. Install Go 1.26 or newer from https://go.dev/doc/install"
    )


def programs(parts: Sequence[Part], report: Report) -> dict[str, Path]:
    """Return where each program is, building those whose module changed."""
    return {
        program: folder / program
        for part in parts
        for folder in [built(part, report)]
        for program in part.programs
    }


def built(part: Part, report: Report) -> Path:
    folder = cache_home() / f"kubernetes-{part.name}-{part.digest()}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():  # else another program built it in the meantime
            _build_all(part, folder, report)
    return folder


def _build_all(part: Part, folder: Path, report: Report) -> None:
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial-", dir=folder.parent))
    started = time.monotonic()
    try:
        for number, (program, package) in enumerate(part.programs.items(), start=1):
            report(f"building {program} ({number} of {len(part.programs)} in {part.name})")
            _build(part, program, package, partial)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    report(f"built {part.name} in {time.monotonic() - started:.0f} s")


def _build(part: Part, program: str, package: str, folder: Path) -> None:
    flags = " ".join(("-s -w", *part.stamps))
    argv = [find_go(), "build", "-trimpath", "-ldflags", flags, "-o", str(folder / program), package]
    result = subprocess.run(
        [*LOW_PRIORITY, *argv],
        cwd=MODULES / part.name,
        env=os.environ
        | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if result.returncode:
        shown = "\n".join(result.stderr.splitlines()[-LOG_LINES:])
        raise BuildError(f"building {program} failed:\n{shown}")
