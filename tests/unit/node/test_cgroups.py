from pathlib import Path

import pytest

from node.cgroups import Cgroup, CgroupError, hierarchies


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """Lay out what the kernel shows of control groups of version 1, with version 2 beside it."""
    for controller in ("cpu", "cpuset", "freezer", "memory"):
        (tmp_path / controller).mkdir()
        (tmp_path / controller / "cgroup.procs").touch()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1")
    (tmp_path / "unified").mkdir()
    for name in ("cgroup.procs", "cgroup.controllers"):
        (tmp_path / "unified" / name).touch()
    return tmp_path


def test_a_group_is_made_in_every_controller_of_version_1(mount: Path) -> None:
    Cgroup("cluster/node1", mount).create()
    made = {path.parent.parent.name for path in mount.glob("*/cluster/node1")}
    assert made == {"cpu", "cpuset", "freezer", "memory"}


def test_the_processes_of_a_group_are_those_of_all_groups_in_it(mount: Path) -> None:
    pods = mount / "memory" / "cluster" / "node1" / "kubepods"
    pods.mkdir(parents=True)
    (pods / "cgroup.procs").write_text("12\n13\n")
    (pods.parent / "cgroup.procs").write_text("11\n")
    assert Cgroup("cluster", mount).processes() == {11, 12, 13}
    assert Cgroup("other", mount).processes() == set()


def test_a_group_is_removed_also_where_only_runc_made_it(mount: Path) -> None:
    group = Cgroup("cluster", mount)
    (mount / "unified" / "cluster" / "node1" / "pod").mkdir(parents=True)
    assert group.exists()
    group.remove()
    assert not group.exists()
    assert (mount / "unified").is_dir()


def test_removing_a_group_that_is_not_there_is_well(mount: Path) -> None:
    Cgroup("cluster", mount).remove()


def test_a_machine_with_version_2_alone_is_told_what_to_use_instead(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    with pytest.raises(CgroupError, match="CONVEYOR_KUBE_CONTEXT"):
        hierarchies(tmp_path)
