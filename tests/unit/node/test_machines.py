import json
from pathlib import Path

import pytest

from node.control_plane import ControlPlane
from node.machine import Daemon, Machine, Mount, read_machine, write_machine
from node.plan import plan_cluster
from node.worker import LEASE_SECONDS, Worker

PLAN = plan_cluster(Path("/srv/one"), 3)
CONTROL = ControlPlane(PLAN, PLAN.directory / "bin")
WORKER = Worker(PLAN, PLAN.nodes[1], PLAN.directory / "bin")


def test_a_machine_is_read_as_it_was_written(tmp_path: Path) -> None:
    daemon = Daemon("etcd", ("etcd", "--name=control"), {"A": "b"}, (3,), "/run/ready")
    machine = Machine("control", "/log", "eth0", (Mount("/run"),), ("/var/x",), {"a.b": "1"}, {}, (daemon,))
    write_machine(tmp_path / "machine.json", machine)
    assert read_machine(tmp_path / "machine.json") == machine


def test_a_node_replaces_var_and_run_by_its_own() -> None:
    mounts = {mount.target: mount.source for mount in WORKER.machine().mounts}
    assert mounts == {"/var": "/srv/one/node2/var", "/run": None}


def test_the_kubelet_keeps_its_pods_in_the_control_group_of_its_node() -> None:
    settings = WORKER.kubelet_settings()
    assert settings["cgroupRoot"] == f"/{PLAN.identity}/node2"
    assert settings["imageGCHighThresholdPercent"] == 100


def test_the_kubelet_changes_no_setting_of_the_host() -> None:
    shown = WORKER.machine().shown
    assert shown == {"vm.overcommit_memory": "1", "kernel.panic": "10", "kernel.panic_on_oops": "1"}
    assert not any(name.startswith(("vm.", "kernel.")) for name in WORKER.machine().settings)


def test_a_node_renews_its_lease_often_enough_for_the_control_plane() -> None:
    grace = next(
        flag for flag in CONTROL.controller_manager().argv if flag.startswith("--node-monitor-grace")
    )
    assert grace == f"--node-monitor-grace-period={LEASE_SECONDS}s"


def test_the_kubelet_waits_for_containerd() -> None:
    assert WORKER.kubelet().after == "/run/containerd/containerd.sock"


@pytest.mark.parametrize("daemon", CONTROL.machine().daemons, ids=lambda daemon: daemon.name)
def test_every_daemon_of_the_control_plane_listens_inside_only(daemon: Daemon) -> None:
    addresses = [flag.partition("=")[2] for flag in daemon.argv if "bind-address" in flag]
    assert set(addresses) <= {"127.0.0.1", "10.10.0.1"}
    assert not any("0.0.0.0" in flag for flag in daemon.argv)


def test_pods_keep_their_address_on_the_way_to_other_nodes() -> None:
    plugins = json.loads(WORKER.files()["cni/10-conveyor.conflist"])["plugins"]
    assert plugins[0]["ipMasq"] is False
    assert plugins[0]["ipam"]["ranges"] == [[{"subnet": "10.244.2.0/24"}]]


def test_dns_answers_where_the_kubelet_sends_pods() -> None:
    assert WORKER.kubelet_settings()["clusterDNS"] == ["10.96.0.10"]
    assert "bind 10.10.0.1" in CONTROL.corefile()
