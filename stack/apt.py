"""Debian packages unpacked into a directory of the user: nothing is installed and no root is needed.

Only the standard library: this also runs before there is a virtual environment.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from stack.apt_sources import Source, debian_source, source_files

SUITE = "sid"
MIRROR_VARIABLE = "CONVEYOR_DEBIAN_MIRROR"
# The machine's ways to reach a mirror count; its hooks, indexes and caches do not concern a private download.
KEPT_SETTING = re.compile(r"^Acquire::(http|https|Retries|Check-|Proxy|ForceIPv)", re.IGNORECASE)
DEADLINE_SECONDS = 900
UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/i18n", "usr/share/zoneinfo")

Report = Callable[[str], None]


class AptError(Exception):
    """A package could not be downloaded or unpacked."""


def cache_home() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "conveyor"


def available() -> bool:
    """Say whether packages can be had here; Ubuntu has apt, but names no mirror of Debian."""
    return all(map(shutil.which, ("apt-get", "dpkg-deb", "apt-config"))) and _source() is not None


def _source() -> Source | None:
    return debian_source(source_files(Path("/etc/apt")), os.environ.get(MIRROR_VARIABLE))


def unpacked(kind: str, packages: Sequence[str], report: Report) -> Path:
    """Return the tree with the packages and all they depend on, downloading it when it is not there yet."""
    digest = hashlib.sha256(" ".join([SUITE, *sorted(packages)]).encode()).hexdigest()[:12]
    tree = cache_home() / f"{kind}-{digest}"
    if tree.is_dir():
        return tree
    tree.parent.mkdir(parents=True, exist_ok=True)
    with _locked(tree.with_suffix(".lock"), report):
        if not tree.is_dir():
            _build(tree, packages, report)
    return tree


@contextmanager
def _locked(path: Path, report: Report) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another download of the same packages")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(tree: Path, packages: Sequence[str], report: Report) -> None:
    # Only the rename makes the tree visible, so a killed unpack is never mistaken for a whole one.
    for stale in tree.parent.glob(f"{tree.name}.partial-*"):
        shutil.rmtree(stale, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f"{tree.name}.partial-", dir=tree.parent))
    try:
        archives = _download(work, packages, report)
        root = work / "root"
        _unpack(archives, root, report)
        root.rename(tree)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(work: Path, packages: Sequence[str], report: Report) -> list[Path]:
    config = _write_configuration(work)
    report(f"reading the package index of Debian {SUITE}")
    _apt(config, ["update"])
    plan = _apt(config, ["install", "--print-uris", *packages])
    sizes = [int(size) for size in re.findall(r"^'\S+' \S+ (\d+) ", plan, re.MULTILINE)]
    archives = work / "cache" / "archives"
    label = f"{len(sizes)} packages, {sum(sizes) / 1e6:.0f} MB"
    with ThreadPoolExecutor(1) as pool:
        download = pool.submit(_apt, config, ["install", "--download-only", *packages])
        while not download.done():
            present = sum(_size(path) for path in archives.rglob("*.deb*"))
            report(f"downloading {label}: {100 * present // max(sum(sizes), 1)} %")
            time.sleep(0.5)
        download.result()
    return sorted(archives.glob("*.deb"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # moved from partial/ in between
        return 0


def _write_configuration(work: Path) -> Path:
    for folder in ("state/lists/partial", "cache/archives/partial", "log", "preferences"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    source = _source()
    if source is None:
        raise AptError(f"apt names no mirror of Debian here: set {MIRROR_VARIABLE} to the address of one")
    (work / "sources.list").write_text(source.as_line(SUITE), encoding="utf-8")
    settings = _run(["apt-config", "dump"], dict(os.environ)).splitlines()
    config = work / "apt.conf"
    config.write_text(
        "\n".join(
            [
                *(line for line in settings if KEPT_SETTING.match(line)),
                # The system's own settings were read above; its hooks would clear the system's caches.
                'Dir::Etc::main "-"; Dir::Etc::parts "-";',
                'Dir::Etc::preferences "-"; Dir::Etc::preferencesparts "-";',
                f'Dir::Etc::sourcelist "{work}/sources.list"; Dir::Etc::sourceparts "-";',
                f'Dir::State "{work}/state"; Dir::State::status "{work}/status";',
                f'Dir::Cache "{work}/cache"; Dir::Log "{work}/log";',
                # The _apt account cannot enter a private directory of root's.
                'APT::Sandbox::User "root";',
                'APT::Install-Recommends "false"; APT::Get::Assume-Yes "true"; Acquire::Languages "none";',
                "",
            ]
        ),
        encoding="utf-8",
    )
    return config


def _apt(config: Path, arguments: Sequence[str]) -> str:
    return _run(["apt-get", "-q", *arguments], os.environ | {"APT_CONFIG": str(config), "LC_ALL": "C"})


def _run(argv: Sequence[str], env: dict[str, str]) -> str:
    result = subprocess.run(
        argv, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
        raise AptError(f"`{' '.join(argv)}` ended with {result.returncode}:\n{tail}")
    return result.stdout


def _unpack(archives: Sequence[Path], root: Path, report: Report) -> None:
    root.mkdir()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        # libc6 and base-files lay the directories that the others' symbolic links lead through
        for done, _ in enumerate(pool.map(lambda archive: _unpack_one(archive, root), archives), start=1):
            report(f"unpacking {done} of {len(archives)} packages")
    for folder in UNUSED:
        shutil.rmtree(root / folder, ignore_errors=True)


def _unpack_one(archive: Path, root: Path) -> None:
    _run(["dpkg-deb", "-x", str(archive), str(root)], dict(os.environ))
    archive.unlink()
