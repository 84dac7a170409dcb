"""Taking a cluster down: its processes, control groups and files, found by its own names alone."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from node.cgroups import Cgroup
from node.plan import MOST_NODES, ClusterPlan, plan_cluster

LOCK = "lock"


def clear(directory: Path) -> bool:
    """End whatever this directory's cluster left, complete or not; say whether there was anything.

    Network namespaces, links, mounts and rules of iptables end with the processes that live in them.
    """
    plan = plan_cluster(directory, MOST_NODES)
    found = end_processes(plan)
    return _remove_files(plan) or found


def end_processes(plan: ClusterPlan) -> bool:
    """End what the cluster runs and remove its control groups; say whether there were any."""
    group = Cgroup(plan.identity)
    if not group.exists():
        return False
    group.kill()
    group.remove()
    return True


def _remove_files(plan: ClusterPlan) -> bool:
    if not plan.directory.is_dir():
        return False
    left = [path for path in plan.directory.iterdir() if path.name != LOCK]
    if mounted := mounts_below(plan.directory, Path("/proc/self/mountinfo").read_text(encoding="utf-8")):
        # removing would reach through the mount; every mount of a node ends with the node
        raise RuntimeError(f"{', '.join(mounted)} is still mounted: unmount it, then run this again")
    with ThreadPoolExecutor() as pool:
        list(pool.map(_remove, left))
    return bool(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def mounts_below(directory: Path, mountinfo: str) -> list[str]:
    """Return the mount points in a directory, from the text of /proc/self/mountinfo."""
    points = [line.split()[4] for line in mountinfo.splitlines()]
    return [point for point in points if Path(point).is_relative_to(directory)]
