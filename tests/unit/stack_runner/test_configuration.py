import configparser
import re
from pathlib import Path

import pytest
import yaml

from stack.credentials import Credentials, load_credentials
from stack.daemons import haproxy, mysql, prometheus, redis
from stack.packages import Daemons
from stack.ports import fixed_ports

PORTS = fixed_ports({})
DAEMONS = Daemons(
    {name: (f"/usr/sbin/{name}",) for name in ("mysqld", "redis-server", "haproxy", "prometheus")}
)


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    return load_credentials(tmp_path / "secrets.json")


def my_cnf(
    path: Path, credentials: Credentials, ordinal: int, daemons: Daemons = DAEMONS
) -> configparser.SectionProxy:
    file = mysql.configure(ordinal, path, PORTS, credentials, daemons)
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(file)
    return parser["mysqld"]


def test_each_mysql_member_has_its_own_identity_in_one_group(
    tmp_path: Path, credentials: Credentials
) -> None:
    members = [my_cnf(tmp_path, credentials, ordinal) for ordinal in mysql.ORDINALS]
    for option in ("server_id", "port", "admin_port", "datadir", "loose_group_replication_local_address"):
        assert len({member[option] for member in members}) == 3, option
    for option in ("loose_group_replication_group_name", "loose_group_replication_group_seeds"):
        assert len({member[option] for member in members}) == 1, option
    seeds = members[0]["loose_group_replication_group_seeds"].split(",")
    assert seeds == [member["loose_group_replication_local_address"] for member in members]


def test_a_mysql_member_is_durable_fenced_and_local(tmp_path: Path, credentials: Credentials) -> None:
    member = my_cnf(tmp_path, credentials, 1)
    wanted = {
        "sync_binlog": "1",
        "innodb_flush_log_at_trx_commit": "1",
        "super_read_only": "ON",
        "bind_address": "127.0.0.1",
        "loose_group_replication_member_expel_timeout": "0",
        "loose_group_replication_exit_state_action": "ABORT_SERVER",
        "loose_group_replication_start_on_boot": "OFF",
    }
    assert {option: member[option] for option in wanted} == wanted


def test_unpacked_servers_are_told_where_their_files_are(tmp_path: Path, credentials: Credentials) -> None:
    unpacked = my_cnf(tmp_path, credentials, 0, Daemons(DAEMONS.argv, Path("/tree")))
    assert unpacked["plugin_dir"] == "/tree/usr/lib/mysql/plugin"
    assert "basedir" not in my_cnf(tmp_path, credentials, 0)


def test_the_agents_know_all_members_and_their_own_one(tmp_path: Path, credentials: Credentials) -> None:
    env = mysql.agent_environment(2, tmp_path, PORTS, credentials)
    assert env["MYSQL_AGENT_NAME"] == "mysql-2"
    assert env["MYSQL_AGENT_MEMBERS"].split(",")[2] == f"mysql-2=127.0.0.1:{PORTS['mysql-2']}"
    assert env["MYSQL_AGENT_ADMIN_ADDRESS"].endswith(f":{PORTS['mysql-2-admin']}")


def test_redis_keeps_its_password_in_a_file_only_its_user_reads(
    tmp_path: Path, credentials: Credentials
) -> None:
    argv = redis.configure(tmp_path, PORTS, credentials, DAEMONS)
    file = Path(argv[-1])
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text().splitlines()
    assert {
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
        "bind 127.0.0.1",
        'save ""',
    } <= set(lines)
    assert f"requirepass {credentials.redis_password}" in lines


def section(text: str, head: str) -> str:
    return re.split(r"\n(?=\w)", text[text.index(f"\n{head}\n") + 1 :])[0]


def test_haproxy_checks_the_readiness_of_every_api_replica() -> None:
    backend = section(haproxy.configuration(PORTS), "backend api")
    assert "option httpchk GET /readyz" in backend
    assert "http-check disable-on-404" in backend, "a replica that drains may finish what it has begun"
    assert re.findall(r"server (api-\d) 127\.0\.0\.1:(\d+)", backend) == [
        (name, str(PORTS[name])) for name in ("api-1", "api-2", "api-3")
    ]


@pytest.mark.parametrize(
    ("role", "path"), [("primary", "/haproxy/primary"), ("replicas", "/haproxy/replica")]
)
def test_haproxy_lets_mysql_clients_follow_the_agents(role: str, path: str) -> None:
    listener = section(haproxy.configuration(PORTS), f"listen mysql_{role}")
    assert f"httpchk HEAD {path}\n" in listener
    assert "http-check disable-on-404" in listener, "a member with another role gets no more clients at once"
    assert "on-marked-down shutdown-sessions" in listener
    for ordinal in mysql.ORDINALS:
        server, agent = PORTS[f"mysql-{ordinal}"], PORTS[f"agent-{ordinal}"]
        assert f"server mysql-{ordinal} 127.0.0.1:{server} port {agent}" in listener


def test_haproxy_listens_on_this_machine_only() -> None:
    assert set(re.findall(r"bind (\S+):\d+", haproxy.configuration(PORTS))) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("path", "denied"),
    [
        ("/metrics", True),
        ("/metrics/", True),
        ("//metrics", True),
        ("/METRICS", True),
        ("/flower/metrics", True),
        ("/flower//metrics", True),
        ("/metrics-of-mine", False),
        ("/api/metrics", False),
        ("/flower/", False),
    ],
)
def test_metrics_are_not_shown_at_the_front(path: str, denied: bool) -> None:  # noqa: FBT001 - a table of cases
    pattern = re.search(r"acl metrics path,url_dec -m reg -i (\S+)", haproxy.configuration(PORTS))
    assert pattern is not None
    assert bool(re.match(pattern[1], path, re.IGNORECASE)) is denied


def test_prometheus_asks_every_process() -> None:
    config = yaml.safe_load(prometheus.configuration(PORTS))
    asked = {
        target["labels"]["part"]: target["targets"][0]
        for job in config["scrape_configs"]
        for target in job["static_configs"]
    }
    parts = {name for name in PORTS if re.match(r"(api|worker|relay|agent)-\d$|flower$|prometheus$", name)}
    assert set(asked) == parts | {"haproxy"}
    assert asked["haproxy"] == f"127.0.0.1:{PORTS['haproxy-stats']}"
    flower = next(job for job in config["scrape_configs"] if job["job_name"] == "flower")
    assert flower["metrics_path"] == "/flower/metrics"


def test_rules_know_a_process_by_the_same_labels_as_in_kubernetes() -> None:
    targets = [
        target["labels"]
        for job in yaml.safe_load(prometheus.configuration(PORTS))["scrape_configs"]
        for target in job["static_configs"]
    ]
    components = {labels["conveyor_component"] for labels in targets}
    assert components == {"api", "worker", "relay", "mysql", "flower", "haproxy", "prometheus"}
    agents = {labels["part"]: labels["member"] for labels in targets if "member" in labels}
    assert agents == {f"agent-{ordinal}": f"mysql-{ordinal}" for ordinal in mysql.ORDINALS}


def test_alerts_link_to_runbooks_that_prometheus_serves_itself(tmp_path: Path) -> None:
    argv = prometheus.configure(tmp_path, PORTS, DAEMONS)
    pages = Path(next(option for option in argv if "console" in option).partition("=")[2])
    served = f"http://localhost:{PORTS['prometheus']}/consoles/"
    links = re.findall(r"runbook_url: (\S+)", "".join(prometheus.rules(PORTS).values()))
    assert len(links) > 20
    assert [link for link in links if not (pages / link.removeprefix(served)).is_file()] == []
