"""The chart's my.cnf and redis.conf say the same as those of compose.yaml and of the local stack."""

from pathlib import Path
from uuid import UUID

from kubernetes.client import V1Sysctl

from app.settings import Settings
from chart.manifests import Manifests
from chart.presets import PRESETS
from chart.rendering import ROOT, render
from tests.configurations import MY_CNF_PLACES, my_cnf_of_the_stack, options, without

TLS = Path("/etc/conveyor-tls")
# the chart alone has limits of memory
ONLY_IN_A_POD = {"maxmemory"}


def configuration(manifests: Manifests, component: str, file: str) -> dict[str, str]:
    return options(manifests.named()[f"ConfigMap/demo-conveyor-{component}"]["data"][file])


def mysql_sysctls(manifests: Manifests) -> list[V1Sysctl]:
    (pod,) = manifests.pods_of("mysql")
    assert pod.spec.security_context
    return pod.spec.security_context.sysctls or []


def docker(name: str) -> dict[str, str]:
    return options((ROOT / "docker" / name).read_text(encoding="utf-8"))


def test_the_members_run_with_the_settings_of_compose_and_of_the_stack() -> None:
    ours = configuration(PRESETS["default"].rendered(), "mysql", "my.cnf")
    assert without(ours, MY_CNF_PLACES) == without(my_cnf_of_the_stack(TLS), MY_CNF_PLACES)
    ours = configuration(render({"mysql": {"tls": {"enabled": False}}}), "mysql", "my.cnf")
    assert without(ours, MY_CNF_PLACES) == without(docker("mysql/my.cnf"), MY_CNF_PLACES)
    assert without(ours, MY_CNF_PLACES) == without(my_cnf_of_the_stack(), MY_CNF_PLACES)


def test_a_client_whose_node_is_gone_loses_its_locks_before_its_tasks_go_to_others() -> None:
    sysctls = mysql_sysctls(PRESETS["default"].rendered())
    keepalive = {one.name.removeprefix("net.ipv4.tcp_keepalive_"): int(one.value) for one in sysctls}
    noticed_after = keepalive["time"] + keepalive["intvl"] * keepalive["probes"]
    assert noticed_after < Settings.model_fields["task_lease_seconds"].default


def test_a_cluster_that_allows_no_kernel_settings_gets_none() -> None:
    assert mysql_sysctls(render({"mysql": {"sysctls": []}})) == []


def test_redis_runs_with_the_settings_of_compose() -> None:
    ours = configuration(PRESETS["default"].rendered(), "redis", "redis.conf")
    assert without(ours, ONLY_IN_A_POD) == docker("redis.conf")
    assert set(ours) >= ONLY_IN_A_POD


def test_what_users_set_reaches_the_members() -> None:
    values = {"bufferPool": "512M", "maxConnections": 900, "options": {"long_query_time": "1"}}
    ours = configuration(render({"mysql": values}), "mysql", "my.cnf")
    assert ours["innodb_buffer_pool_size"] == "512M"
    assert (ours["max_connections"], ours["long_query_time"]) == ("900", "1")


def group_name(manifests: Manifests) -> str:
    return configuration(manifests, "mysql", "my.cnf")["loose_group_replication_group_name"]


def test_a_release_has_one_group_for_ever_and_no_two_share_one() -> None:
    name = group_name(PRESETS["default"].rendered())
    assert str(UUID(name)) == name
    assert group_name(PRESETS["everything"].rendered()) == name
    data = render(release="other").named()["ConfigMap/other-conveyor-mysql"]["data"]["my.cnf"]
    assert options(data)["loose_group_replication_group_name"] != name


def test_every_member_has_a_name_of_its_own() -> None:
    domain = "demo-conveyor-mysql.platform.svc.cluster.local"
    (mysql,) = PRESETS["default"].rendered().pods_of("mysql")
    assert (mysql.container("mysql").args or [])[1:] == [
        "--server-id=10$(POD_INDEX)",
        f"--report-host=$(POD_NAME).{domain}",
        f"--loose-group-replication-local-address=$(POD_NAME).{domain}:3306",
    ]


def test_a_change_of_a_configuration_rolls_the_pods_that_read_it() -> None:
    default = PRESETS["default"].rendered()
    for component, values in (("mysql", {"maxConnections": 900}), ("redis", {"maxMemory": "128mb"})):
        (before,) = default.pods_of(component)
        (after,) = render({component: values}).pods_of(component)
        assert before.annotations["checksum/config"] != after.annotations["checksum/config"]
