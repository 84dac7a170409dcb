"""Every alert fired for real, once, and ended when its cause did: harm by harm, in a live system."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx2 as httpx
import pytest

from docs.alerts import alerts
from docs.promql import metric_names
from stack.packages import find_daemons
from stack.supervisor import ROOT
from tests.stack.alerts import harms, mysql_harms, store_harms
from tests.stack.alerts.harms import DEMO_USER, Harm, accepted, down, frozen, killed, read, started
from tests.stack.alerts.system import System, running_system
from tests.stack.waiting import wait_until

FIRE_SECONDS = 60
END_SECONDS = 90
# Without Kubernetes nobody can refuse the agent: its metric is brought to 0 in a cluster.
ELSEWHERE = {"ConveyorMysqlAgentAlone": "k8s-tests/cluster/test_database_network.py"}
# A window of six hours still sees, six minutes later, what is over.
SLOW_TO_END = {"severity": "warning"}
Labels = Mapping[str, str]
RESTARTED = ("haproxy", "redis", "relay-1", "flower", "api-1", "worker-1", "agent-1", "prometheus")


@dataclass(frozen=True)
class Expected:
    """An alert, and the labels by which it names what was hurt."""

    alert: str
    labels: Labels = field(default_factory=dict)


def part(name: str) -> dict[str, str]:
    return {"part": name}


@dataclass(frozen=True)
class Wave:
    """Harms that do not get in each other's way, and the alerts that tell of them."""

    name: str
    harms: tuple[Harm, ...]
    expected: tuple[Expected, ...]


WAVES = (
    Wave(
        "one of each is lost",
        (
            down("api-1", "relay-1", "flower"),
            frozen("worker-1"),
            accepted("fail", {"text": "on purpose"}),
            accepted("slow_product", {"user_id": DEMO_USER, "seconds": 3}, pause_seconds=3),
            started("kill_own_process"),
            harms.received_by_the_dead,
            harms.lost_messages,
            store_harms.backup_missing,
            store_harms.certificate_that_ends,
        ),
        (
            Expected("ConveyorApiDown", part("api-1")),
            Expected("ConveyorReplicaOutOfRotation", {"server": "api-1"}),
            Expected("ConveyorRelayDown", part("relay-1")),
            Expected("ConveyorFlowerDown", part("flower")),
            Expected("ConveyorWorkerDown", part("worker-1")),
            Expected("ConveyorWorkerSilent", {"worker": "worker-1"}),
            Expected("ConveyorTasksRetried", {"task": "fail"}),
            Expected("ConveyorTasksFailed", {"task": "fail"}),
            Expected("ConveyorWorkerProcessesLost", part("worker-2")),
            Expected("ConveyorTaskLatencyBudget", {"task": "slow_product", "severity": "critical"}),
            Expected("ConveyorTasksRedelivered", {"queue": "default"}),
            Expected("ConveyorTasksRepublished", {"reason": "unstarted"}),
            Expected("ConveyorBackupMissing"),
            Expected("ConveyorMysqlCertificateEnds"),
        ),
    ),
    Wave(
        "Redis is configured wrongly, and the replicas stand still",
        (
            store_harms.full_and_evicting,
            store_harms.without_its_file,
            store_harms.backup_too_old,
            mysql_harms.replicas_that_stand_still,
        ),
        (
            Expected("ConveyorRedisEvicts"),
            Expected("ConveyorRedisMemory"),
            Expected("ConveyorRedisAofOff"),
            Expected("ConveyorBackupTooOld"),
            Expected("ConveyorMysqlReplicaLags"),
            Expected("ConveyorMysqlSwitchoverFailed"),
        ),
    ),
    Wave(
        "the disk of Redis is full, and somebody writes past the group",
        (store_harms.full_disk, mysql_harms.written_past_the_group),
        (
            Expected("ConveyorRedisNotPersisted"),
            Expected("ConveyorMysqlNeedsAPerson", {"reason": "errant_transactions"}),
        ),
    ),
    Wave(
        "Redis is down, and nobody is led to a replica of MySQL",
        (
            down("redis"),
            accepted("fail_for_good", {"text": "heard late"}),
            mysql_harms.replicas_without_agents,
            read(),
        ),
        (
            Expected("ConveyorRedisDown"),
            Expected("ConveyorOutboxStalled"),
            Expected("ConveyorPublishFailures", part("api-2")),
            Expected("ConveyorRelayFailing"),
            Expected("ConveyorMysqlAgentDown"),
            Expected("ConveyorReadsOnPrimary"),
            Expected("ConveyorBackendEmpty", {"proxy": "mysql_replicas"}),
        ),
    ),
    Wave(
        "no worker is left, and Redis begins its file on a full disk",
        (
            down("worker-1", "worker-2"),
            accepted("fail", {"text": "nobody does it"}),
            store_harms.file_turned_on_without_room,
        ),
        (
            Expected("ConveyorNoWorker"),
            Expected("ConveyorQueueWaits", {"queue": "default"}),
            Expected("ConveyorRedisNotPersisted"),
        ),
    ),
    Wave(
        "no replica of the API and no relay is left",
        (down("api-1", "api-2", "api-3", "relay-1", "relay-2"),),
        (
            Expected("ConveyorNoApi"),
            Expected("ConveyorNoRelay"),
            Expected("ConveyorBackendEmpty", {"proxy": "api"}),
        ),
    ),
    Wave(
        "HAProxy is down",
        (
            started("slow_product", {"user_id": DEMO_USER, "seconds": 20}),
            down("haproxy"),
            accepted("fail", {"text": "nobody hears it"}),
        ),
        (
            Expected("ConveyorHaproxyDown", part("haproxy")),
            Expected("ConveyorLeasesNotRenewed"),
            Expected("ConveyorRequestLogDropped", part("api-2")),
            Expected("ConveyorApiErrorBudget", {"severity": "critical"}),
            Expected("ConveyorApiErrorBudget", {"severity": "warning"}),
        ),
    ),
    Wave(
        "all servers of MySQL are lost",
        (down("mysql-0", "mysql-1", "mysql-2"),),
        (
            Expected("ConveyorMysqlNoPrimary"),
            Expected("ConveyorMysqlMemberMissing", {"member": "mysql-1"}),
            Expected("ConveyorMysqlMemberLeft", {"member": "mysql-1"}),
        ),
    ),
    Wave(
        "somebody holds a lock on the table of tasks",
        (mysql_harms.locked_tasks, accepted("fail", {"text": "nobody writes it"}, clients=8)),
        (
            Expected("ConveyorPoolExhausted", part("api-2") | {"pool": "primary"}),
            Expected("ConveyorApiLatencyBudget", {"severity": "critical"}),
            Expected("ConveyorApiLatencyBudget", {"severity": "warning"}),
        ),
    ),
    Wave(
        "every part is killed once, and starts anew",
        (killed(*RESTARTED, "mysql-2"),),
        (
            *(Expected("ConveyorRestarted", part(name)) for name in RESTARTED),
            Expected("ConveyorMysqlMemberLeft", {"member": "mysql-2"}),
        ),
    ),
)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(find_daemons(lambda _: None)) as system:
        store_harms.backup_taken(system, 0)
        yield system


def test_every_alert_is_brought_about_or_it_is_said_why_not() -> None:
    fired = {expected.alert for wave in WAVES for expected in wave.expected}
    rules = {alert.name: alert.expression for alert in alerts()}
    assert fired | set(ELSEWHERE) == set(rules)
    assert not fired & set(ELSEWHERE)
    for name, file in ELSEWHERE.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        assert all(metric in text for metric in metric_names(rules[name]))


def test_a_healthy_system_is_silent(system: System) -> None:
    wait_until(lambda: system.watcher.now == [], "nothing fires", END_SECONDS)


@pytest.mark.parametrize("wave", WAVES, ids=lambda wave: wave.name)
def test_an_alert_names_what_was_hurt(system: System, wave: Wave) -> None:
    system.watcher.forget()
    missing = list(wave.expected)

    def all_fired() -> bool:
        missing[:] = [one for one in wave.expected if not system.watcher.seen(one.alert, one.labels)]
        return not missing

    with ExitStack() as harm_done:
        for harm in wave.harms:
            harm_done.enter_context(harm(system))
        try:
            wait_until(all_fired, "all alerts fire", FIRE_SECONDS)
        except AssertionError:
            pytest.fail(f"missing:\n{missing}\nseen:\n{system.watcher.all_seen()}")
    for one in wave.expected:
        firing = system.watcher.seen(one.alert, one.labels)
        assert firing
        names = set(one.labels.values()) - {"critical", "warning", "primary"}
        assert all(name in firing.description for name in names), firing
    system.stack.wait_all_ready(90)


def test_what_is_over_is_silent(system: System) -> None:
    """All that was hurt is well again: alerts end by themselves."""

    def over() -> bool:
        now = system.watcher.now
        return now is not None and not [
            one for one in now if not (one.name.endswith("Budget") and one.is_about(SLOW_TO_END))
        ]

    try:
        wait_until(over, "nothing fires any more", END_SECONDS)
    except AssertionError:
        pytest.fail(f"still firing: {system.watcher.now}")


def test_a_person_sees_alerts_and_reads_their_runbooks_where_make_up_says(system: System) -> None:
    base = f"http://localhost:{system.stack.ports['prometheus']}"
    page = httpx.get(f"{base}/consoles/conveyor.html", timeout=5).text
    assert 'href="runbooks/ConveyorApiErrorBudget.md"' in page
    rules = httpx.get(f"{base}/api/v1/rules?type=alert", timeout=5).json()["data"]["groups"]
    links = {rule["annotations"]["runbook_url"] for group in rules for rule in group["rules"]}
    assert len(links) == len({alert.name for alert in alerts()})
    for link in links:
        runbook = httpx.get(link, timeout=5)
        assert runbook.status_code == httpx.codes.OK
        assert runbook.text.startswith("# Conveyor")
