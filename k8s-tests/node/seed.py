"""Stores of images, filled once: a node gets hard links to one instead of unpacking everything again."""

import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from node import containerd
from node.cluster import ClusterError, running_machine
from node.containerd import import_image
from node.machine import Daemon, Machine, Mount
from node.plan import ClusterPlan
from stack.apt import cache_home

SEED = "seed"
# what containerd writes to in place; every other file of its store is never changed, only replaced
CHANGED_IN_PLACE = (
    "io.containerd.metadata.v1.bolt/meta.db",
    "io.containerd.snapshotter.v1.overlayfs/metadata.db",
)
KEPT = 3
LINK_SECONDS = 300

Report = Callable[[str], None]


def seed(plan: ClusterPlan, layers: tuple[Mapping[str, Path], ...], report: Report) -> Path:
    """Return a store with all images; each mapping of images builds on the store of those before it."""
    below: Path | None = None
    names: list[str] = []
    for images in layers:
        names += sorted(path.name for path in images.values())
        digest = hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]
        store = cache_home() / f"kubernetes-store-{len(names)}-{digest}"
        if not store.is_dir():
            _fill(plan, store, below, images, report)
        store.touch()
        below = store
    if below is None:
        raise ClusterError("a store without images was asked for")
    _forget_old_stores()
    return below


def link_store(store: Path, target: Path) -> None:
    """Make a store of its own for a node, which shares with `store` all that never changes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    same_device = store.stat().st_dev == target.parent.stat().st_dev
    how = "--link" if same_device else "--reflink=auto"
    # a start that is killed takes the copying with it, which would else go on in what `down` removes
    copying = ["setpriv", "--pdeathsig", "KILL", "cp", "-a", how, str(store), str(target)]
    subprocess.run(copying, check=True, timeout=LINK_SECONDS)
    for name in CHANGED_IN_PLACE:
        shared = target / name
        copy = shared.with_suffix(".copy")
        shutil.copyfile(shared, copy)
        copy.replace(shared)


def _fill(
    plan: ClusterPlan, store: Path, below: Path | None, images: Mapping[str, Path], report: Report
) -> None:
    """Unpack images in a machine that has nothing but containerd."""
    started = time.monotonic()
    report(f"unpacking {', '.join(images)} for the nodes")
    folder = plan.folder(SEED)
    shutil.rmtree(folder, ignore_errors=True)
    unpacked = folder / "var" / "lib" / "containerd"
    if below:
        link_store(below, unpacked)
    machine = running_machine(plan, SEED)
    pid = machine.start(_machine(folder))
    try:
        for archive in images.values():
            import_image(pid, archive, plan.log(SEED, "containerd"))
    finally:
        machine.power_off()
    _publish(unpacked, store)
    report(f"unpacked {len(images)} images in {time.monotonic() - started:.0f} s")


def _machine(folder: Path) -> Machine:
    (folder / "var").mkdir(parents=True, exist_ok=True)
    settings = folder / "containerd.toml"
    settings.write_text(containerd.settings("io.containerd.grpc.v1.cri"), encoding="utf-8")
    return Machine(
        name=SEED,
        log=str(folder / "log"),
        awaited="",
        mounts=(Mount("/var", str(folder / "var")), Mount("/run")),
        folders=("/var/lib",),
        shown={},
        settings={},
        daemons=(Daemon("containerd", ("containerd", "--config", str(settings))),),
    )


def _publish(unpacked: Path, store: Path) -> None:
    # moving between file systems takes its time, and only the rename makes the store visible
    partial = Path(tempfile.mkdtemp(prefix=f"{store.name}.partial-", dir=store.parent))
    shutil.move(unpacked, partial / store.name)
    try:
        (partial / store.name).rename(store)
    except OSError:
        if not store.is_dir():  # else another cluster of the same images was quicker
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _forget_old_stores() -> None:
    stores = sorted(cache_home().glob("kubernetes-store-?-*"), key=lambda path: path.stat().st_mtime)
    for store in stores[: -KEPT - 1]:
        shutil.rmtree(store, ignore_errors=True)
