import json
import time
from threading import Event

import pymysql
import pytest
from prometheus_client import CollectorRegistry

from mysql_agent.cluster import ClusterView
from mysql_agent.decision import Action, Decision, Reason
from mysql_agent.loop import Loop, Pace
from mysql_agent.metrics import Metrics
from mysql_agent.report import Report
from structured_logging.configuration import configure_logging
from tests.unit.mysql_agent.views import alone, answer, cluster, entry, in_group, in_kubernetes, offline

FOUNDING = cluster(0, offline(0), offline(1), offline(2))
PRIMARY = cluster(0, in_group(0), None, None)
SECONDARY = cluster(0, in_group(0, primary=1), None, None)
JOINING = cluster(0, offline(0), alone(1), None)
GONE = cluster(0, None, None, None)
REFUSED = Decision(Action.WAIT, Reason.OLD_INCARNATION, "waiting for the group to expel the previous run")


class Script:
    """Plays observations to the loop and takes its orders."""

    def __init__(self, *views: ClusterView, obstacles: tuple[Decision | None, ...] = ()) -> None:
        self._views = list(views)
        self._obstacles = list(obstacles)
        self.orders: list[str] = []
        self.server_is_gone = False
        self.is_waited_for = False
        self.deeds: list[str] = []
        self.seen: list[Reason] = []

    def is_asked_for(self) -> bool:
        return self.is_waited_for

    def release(self) -> None:
        self.is_waited_for = False
        self.orders.append("released")

    def saw(self, report: Report) -> None:
        self.seen.append(report.decision.reason)

    def did(self, deed: str, message: str) -> None:
        assert message
        self.deeds.append(deed)

    def observe(self) -> ClusterView:
        return self._views.pop(0)

    def carry_out(self, decision: Decision) -> Decision | None:
        self.orders.append(str(decision.action))
        return self._obstacles.pop(0) if self._obstacles else None

    def clear_bootstrap_flag(self) -> None:
        self.orders.append("clear flag")

    def disconnect_clients(self) -> int:
        self.orders.append("disconnect")
        if self.server_is_gone:
            raise pymysql.OperationalError(2006, "MySQL server has gone away")
        return 2


def loop_over(script: Script) -> tuple[Loop, CollectorRegistry]:
    metrics = Metrics()
    return build(script, metrics, Event()), metrics.registry


def build(script: Script, metrics: Metrics, stop: Event) -> Loop:
    return Loop(
        script.observe,
        script,
        metrics=metrics,
        pace=Pace(2, 0.5, 2.5),
        stop=stop,
        handover=script,
        listener=script,
    )


def reason_of(loop: Loop) -> Reason:
    assert loop.report
    return loop.report.decision.reason


def test_it_rests_long_in_the_final_state_and_briefly_before() -> None:
    loop, _ = loop_over(Script(GONE, PRIMARY, cluster(0, in_group(0, size=2), None, None)))
    assert [loop.step() for _ in range(3)] == [0.5, 2, 0.5]


@pytest.mark.parametrize("view", [FOUNDING, JOINING], ids=["founded", "joined"])
def test_it_looks_at_once_at_what_it_brought_about(view: ClusterView) -> None:
    loop, _ = loop_over(Script(view))
    assert loop.step() == 0


def test_it_rests_before_it_tries_again_what_was_refused() -> None:
    loop, _ = loop_over(Script(JOINING, obstacles=(REFUSED,)))
    assert loop.step() == 2.5
    assert reason_of(loop) is Reason.OLD_INCARNATION


def test_a_bootstrap_is_counted_once_it_took_effect() -> None:
    loop, registry = loop_over(Script(FOUNDING, FOUNDING, obstacles=(REFUSED, None)))
    loop.step()
    assert registry.get_sample_value("mysql_agent_bootstrap_total") == 0
    loop.step()
    assert registry.get_sample_value("mysql_agent_bootstrap_total") == 1
    assert registry.get_sample_value("mysql_agent_decisions_total", {"decision": "bootstrap"}) == 2


@pytest.mark.parametrize(
    "after", [SECONDARY, cluster(0, offline(0), None, None)], ids=["secondary", "restarted"]
)
def test_a_demoted_primary_loses_its_clients_once(after: ClusterView) -> None:
    script = Script(PRIMARY, after, after)
    loop, registry = loop_over(script)
    for _ in range(3):
        loop.step()
    assert script.orders.count("disconnect") == 1
    assert registry.get_sample_value("mysql_agent_demotions_total") == 1


def test_a_promotion_is_counted_where_it_was_seen() -> None:
    loop, registry = loop_over(Script(PRIMARY, SECONDARY, PRIMARY, GONE, PRIMARY))
    loop.step()
    assert registry.get_sample_value("mysql_agent_promotions_total") == 0, "it was the primary before"
    for _ in range(4):
        loop.step()
    assert registry.get_sample_value("mysql_agent_promotions_total") == 1


def test_a_primary_that_is_briefly_silent_is_not_demoted() -> None:
    script = Script(PRIMARY, GONE, PRIMARY)
    loop, _ = loop_over(script)
    for _ in range(3):
        loop.step()
    assert "disconnect" not in script.orders


def test_clients_are_disconnected_later_when_it_failed_at_first() -> None:
    script = Script(PRIMARY, SECONDARY, SECONDARY)
    loop, registry = loop_over(script)
    loop.step()
    script.server_is_gone = True
    loop.step()
    assert reason_of(loop) is Reason.SERVER_UNREACHABLE
    script.server_is_gone = False
    loop.step()
    assert reason_of(loop) is Reason.COMPLETE
    assert script.orders.count("disconnect") == 2
    assert registry.get_sample_value("mysql_agent_demotions_total") == 1


def test_a_bootstrap_flag_that_was_left_behind_is_cleared_first() -> None:
    left_behind = cluster(0, offline(0, bootstrap_flag=True), alone(1), None)
    script = Script(left_behind)
    loop, _ = loop_over(script)
    loop.step()
    assert script.orders == ["clear flag", "join"]


def test_it_says_each_thing_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json")
    loop, _ = loop_over(
        Script(GONE, GONE, JOINING, JOINING, JOINING, obstacles=(None, None, REFUSED, REFUSED, REFUSED))
    )
    for _ in range(5):
        loop.step()
    reasons = [json.loads(line)["reason"] for line in capsys.readouterr().out.splitlines()]
    assert reasons == ["server_unreachable", "group_found", "old_incarnation"]


def test_a_call_for_help_is_logged_as_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json")
    loop, _ = loop_over(Script(cluster(0, offline(0, "1-5:7"), offline(1, "1-6"))))
    loop.step()
    assert json.loads(capsys.readouterr().out)["level"] == "error"


def test_the_metrics_tell_state_role_and_what_is_waited_for() -> None:
    queue = answer(0, (entry(0), entry(1), entry(2)), applier_queue=7, lag_seconds=2.5)
    loop, registry = loop_over(Script(cluster(0, queue, None, None), GONE))
    loop.step()
    assert registry.get_sample_value("mysql_agent_member_state", {"state": "ONLINE"}) == 1
    assert registry.get_sample_value("mysql_agent_role", {"role": "SECONDARY"}) == 1
    assert registry.get_sample_value("mysql_agent_members") == 3
    assert registry.get_sample_value("mysql_agent_members_online") == 3
    assert registry.get_sample_value("mysql_agent_in_majority") == 1
    assert registry.get_sample_value("mysql_agent_applier_queue") == 7
    assert registry.get_sample_value("mysql_agent_applier_lag_seconds") == 2.5
    assert registry.get_sample_value("mysql_agent_waiting", {"reason": "server_unreachable"}) == 0
    loop.step()
    assert registry.get_sample_value("mysql_agent_member_state", {"state": "ONLINE"}) == 0
    assert registry.get_sample_value("mysql_agent_member_state", {"state": "UNREACHABLE"}) == 1
    assert registry.get_sample_value("mysql_agent_waiting", {"reason": "server_unreachable"}) == 1


def test_a_primary_hands_over_disconnects_its_clients_and_only_then_releases_its_server() -> None:
    stopping = in_kubernetes(stopping_seconds=0)
    script = Script(
        cluster(0, in_group(0), None, None, surroundings=stopping),
        cluster(0, in_group(0, primary=1), surroundings=stopping),
        cluster(0, None, surroundings=stopping),
    )
    script.is_waited_for = True
    loop, registry = loop_over(script)
    assert loop.step() == 0
    loop.step()
    loop.step()
    assert script.orders == ["hand_over", "disconnect", "release", "released", "release"]
    assert script.deeds == ["switched_over", "demoted"]
    assert registry.get_sample_value("mysql_agent_switchovers_total", {"outcome": "done"}) == 1
    assert registry.get_sample_value("mysql_agent_waiting", {"reason": "stopping"}) == 1


def test_a_handover_that_failed_is_counted_and_tried_again() -> None:
    failed = Decision(Action.WAIT, Reason.SWITCHOVER_FAILED, "mysql-1 did not become the primary: refused")
    view = cluster(0, in_group(0), None, None, surroundings=in_kubernetes(stopping_seconds=0))
    script = Script(view, view, obstacles=(failed, None))
    script.is_waited_for = True
    loop, registry = loop_over(script)
    assert loop.step() == 2.5
    assert reason_of(loop) is Reason.SWITCHOVER_FAILED
    loop.step()
    assert registry.get_sample_value("mysql_agent_switchovers_total", {"outcome": "failed"}) == 1
    assert registry.get_sample_value("mysql_agent_switchovers_total", {"outcome": "done"}) == 1


def test_whoever_waits_for_the_server_interrupts_the_rest() -> None:
    script = Script()
    loop = build(script, Metrics(), Event())
    script.is_waited_for = True
    started = time.monotonic()
    loop._rest(30)
    assert time.monotonic() - started < 5


def test_it_runs_until_it_is_told_to_stop() -> None:
    stop = Event()

    class Last(Script):
        def carry_out(self, decision: Decision) -> Decision | None:
            stop.set()
            return super().carry_out(decision)

    script = Last(PRIMARY)
    metrics = Metrics()
    build(script, metrics, stop).run()
    assert script.orders == ["nothing"]
    assert "mysql_agent_loop_duration_seconds_count 1.0" in metrics.text()
