from pathlib import Path

from node import network
from node.plan import plan_cluster

NODES = plan_cluster(Path("/srv/one"), 3).nodes


def test_every_command_runs_in_a_namespace_of_the_cluster_and_never_in_the_host_s() -> None:
    commands = [
        *network.control_commands(100),
        *network.cable_commands(NODES[0], 100, 200),
        *network.route_commands(NODES[1:], 200),
        network.unplug_command(NODES[0], 100),
        network.plug_command(NODES[0], 100),
    ]
    assert all(command[0] == "nsenter" for command in commands)
    assert {command[1] for command in commands} == {"--net=/proc/100/ns/net", "--net=/proc/200/ns/net"}


def test_no_route_leads_out_of_the_control_plane() -> None:
    assert not any("default" in command for command in network.control_commands(100))


def test_a_node_knows_the_way_to_the_other_nodes_pods() -> None:
    routes = [command[-3:] for command in network.route_commands(NODES[1:], 200)]
    assert ("10.244.2.0/24", "via", "10.10.0.12") in routes
    assert ("10.244.3.0/24", "via", "10.10.0.13") in routes


def test_the_default_route_that_a_node_waits_for_comes_last() -> None:
    assert network.route_commands(NODES[1:], 200)[-1][-3:] == ("default", "via", "10.10.0.1")
    assert not any("default" in command for command in network.cable_commands(NODES[0], 100, 200))
