"""Images of the cluster as archives in the cache: the stand-ins for upstream's, and Conveyor's own."""

import fcntl
import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from images.buildah import Store
from images.stand_ins import Report, StandIn, stand_ins
from stack.apt import cache_home

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = "docker.io/library/python:3.13-slim"
CONVEYOR = "docker.io/library/conveyor"
KEPT_BUILDS = 3


def base_images(pause: Path, rclone: Path, report: Report) -> dict[str, Path]:
    """Return the archive of each stand-in by its reference, making those whose recipe changed."""
    return {image.reference: _archive_of(image, Store(), report) for image in stand_ins(pause, rclone)}


def conveyor_image(bases: Mapping[str, Path], report: Report) -> tuple[str, Path]:
    """Build Conveyor's image from the Dockerfile; return a name of its content, and its archive."""
    digest = source_digest(ROOT, bases[PYTHON].name)
    reference = f"{CONVEYOR}:build-{digest}"
    archive = cache_home() / f"kubernetes-image-conveyor-{digest}.tar"
    if archive.exists():
        archive.touch()
        return reference, archive
    store, started = Store(), time.monotonic()
    with _lock("kubernetes-buildah"):
        if not store.has(PYTHON):
            store.pull(bases[PYTHON], PYTHON)
        report("building the image of Conveyor")
        store.build(ROOT / "Dockerfile", ROOT, reference)
        store.export(reference, archive)
        _forget_old_builds()
    report(f"image {reference} is ready after {time.monotonic() - started:.0f} s")
    return reference, archive


def source_digest(root: Path, base: str) -> str:
    """Return a hash of what the build sees: Dockerfile, what .dockerignore lets through, base image."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    wanted = [root / "Dockerfile", *(root / line[1:] for line in lines if line.startswith("!"))]
    seen = hashlib.sha256(base.encode())
    for path in sorted(file for each in wanted for file in (each.rglob("*") if each.is_dir() else [each])):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            seen.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return seen.hexdigest()[:12]


def _archive_of(image: StandIn, store: Store, report: Report) -> Path:
    name = image.reference.rpartition("/")[2].replace(":", "-")
    archive = cache_home() / f"kubernetes-image-{name}-{image.digest()}.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with _lock("kubernetes-buildah"):
        if archive.exists():  # made by another run in the meantime
            return archive
        work = Path(tempfile.mkdtemp(prefix="kubernetes-image.partial-", dir=archive.parent))
        try:
            image.layer(work / "root.tar", report)
            lines = ("FROM scratch", "ADD root.tar /", *image.containerfile, "")
            (work / "Containerfile").write_text("\n".join(lines))
            report(f"making the image {image.reference}")
            store.build(work / "Containerfile", work, image.reference)
            store.export(image.reference, archive)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    report(f"made {image.reference} in {time.monotonic() - started:.0f} s")
    return archive


@contextmanager
def _lock(name: str) -> Iterator[None]:
    with (cache_home() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _forget_old_builds() -> None:
    archives = sorted(
        cache_home().glob("kubernetes-image-conveyor-*.tar"), key=lambda path: path.stat().st_mtime
    )
    for archive in archives[:-KEPT_BUILDS]:
        archive.unlink(missing_ok=True)
