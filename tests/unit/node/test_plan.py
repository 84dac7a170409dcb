from pathlib import Path

import pytest

from node.plan import PlanError, plan_cluster, wanted_nodes


def test_two_clusters_of_one_machine_share_no_name() -> None:
    one, two = (plan_cluster(Path(folder), 3) for folder in ("/srv/one", "/srv/two"))
    assert one.identity != two.identity
    assert {one.cgroup(name) for name in one.machines}.isdisjoint(two.cgroup(name) for name in two.machines)


def test_the_same_directory_always_means_the_same_cluster() -> None:
    assert plan_cluster(Path("/srv/one"), 1).identity == plan_cluster(Path("/srv/one"), 3).identity


def test_every_node_has_an_address_and_a_range_of_pods_of_its_own() -> None:
    nodes = plan_cluster(Path("/srv/one"), 3).nodes
    assert [node.name for node in nodes] == ["node1", "node2", "node3"]
    assert [node.address for node in nodes] == ["10.10.0.11", "10.10.0.12", "10.10.0.13"]
    assert [node.pods for node in nodes] == ["10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24"]


def test_the_name_of_a_cable_fits_the_kernel() -> None:
    assert all(len(node.link) <= 15 for node in plan_cluster(Path("/srv/one"), 3).nodes)


@pytest.mark.parametrize("count", [0, 4])
def test_a_number_of_nodes_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(PlanError, match=f"NODES={count}"):
        plan_cluster(Path("/srv/one"), count)


@pytest.mark.parametrize("folder", ["/var/lib/conveyor", "/run/conveyor"])
def test_a_directory_that_the_nodes_would_hide_is_refused(folder: str) -> None:
    with pytest.raises(PlanError, match="CONVEYOR_CLUSTER_DIR"):
        plan_cluster(Path(folder), 1)


def test_three_nodes_are_started_unless_another_number_is_set() -> None:
    assert wanted_nodes({}) == 3
    assert wanted_nodes({"NODES": "2"}) == 2
    with pytest.raises(PlanError, match="NODES=two"):
        wanted_nodes({"NODES": "two"})
