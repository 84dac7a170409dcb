"""Building and exporting images with buildah, without a daemon and in a store apart from the user's."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from images.stand_ins import ImageError
from stack.apt import cache_home

SECONDS = 900
LOG_LINES = 20


class Store:
    """One store of images below the cache."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_home() / "kubernetes-buildah"

    def build(self, containerfile: Path, context: Path, reference: str) -> str:
        """Build an image, reusing layers, and return its id."""
        with tempfile.TemporaryDirectory() as work:
            identity = Path(work, "id")
            self._run(
                "build",
                "--layers",
                "--pull=never",
                f"--iidfile={identity}",
                f"--tag={reference}",
                f"--file={containerfile}",
                str(context),
            )
            return identity.read_text().strip().removeprefix("sha256:")

    def has(self, reference: str) -> bool:
        return bool(
            self._run("images", "--quiet", "--no-trunc", "--filter", f"reference={reference}").strip()
        )

    def pull(self, archive: Path, reference: str) -> None:
        """Take an image from an archive into the store."""
        identity = self._run("pull", "--quiet", f"oci-archive:{archive}").strip().splitlines()[-1]
        self.tag(identity, reference)

    def tag(self, image: str, reference: str) -> None:
        self._run("tag", image, reference)

    def export(self, reference: str, archive: Path) -> None:
        """Write an image as an archive of the Open Container Initiative, whole or not at all."""
        archive.parent.mkdir(parents=True, exist_ok=True)
        partial = archive.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        self._run("push", "--quiet", "--disable-compression", reference, f"oci-archive:{partial}:{reference}")
        partial.replace(archive)

    def _run(self, command: str, *arguments: str) -> str:
        argv = ["buildah", *self._location(), command, *arguments]
        settings = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "overlay"}
        result = subprocess.run(
            argv, env=os.environ | settings, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        if result.returncode:
            raise ImageError(f"`buildah {command}` failed:\n{_last(result.stdout + result.stderr)}")
        return result.stdout

    def _location(self) -> Sequence[str]:
        return (f"--root={self._folder / 'images'}", f"--runroot={self._folder / 'run'}")


def _last(output: str) -> str:
    return "\n".join(output.splitlines()[-LOG_LINES:])
