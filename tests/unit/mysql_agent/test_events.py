import pytest

from mysql_agent.decision import Action, Decision, Reason
from mysql_agent.events import BUDGET, PATIENCE_SECONDS, REPEAT_SECONDS, WAITING_ROOM, Announcer, camel_case

WAITING = Decision(Action.WAIT, Reason.PEER_UNREACHABLE, "waiting for mysql-2")
ALERT = Decision(Action.ALERT, Reason.DIVERGED, "no member holds all transactions")
SERVING = Decision(Action.NOTHING, Reason.COMPLETE, "serving")


class Watch:
    def __init__(self) -> None:
        self.now = 100.0
        self.announcer = Announcer(lambda: self.now)

    def after(self, seconds: float, decision: Decision) -> list[str]:
        self.now += seconds
        self.announcer.consider(decision)
        return self.sent()

    def sent(self) -> list[str]:
        sent = []
        while announcement := self.announcer.first():
            sent.append(f"{announcement.kind} {announcement.reason}")
            self.announcer.done_with(announcement)
        return sent


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_call_for_help_is_announced_at_once(watch: Watch) -> None:
    assert watch.after(0, ALERT) == ["Warning Diverged"]


def test_a_wait_is_announced_when_it_lasts(watch: Watch) -> None:
    assert watch.after(0, WAITING) == []
    assert watch.after(PATIENCE_SECONDS, WAITING) == ["Normal PeerUnreachable"]


def test_a_wait_that_was_interrupted_begins_anew(watch: Watch) -> None:
    watch.after(0, WAITING)
    watch.after(PATIENCE_SECONDS - 1, SERVING)
    assert watch.after(1, WAITING) == []


def test_the_same_is_said_again_only_after_a_long_time(watch: Watch) -> None:
    assert watch.after(0, ALERT)
    assert [watch.after(REPEAT_SECONDS / 10, ALERT) for _ in range(9)] == [[]] * 9
    assert watch.after(REPEAT_SECONDS / 10, ALERT) == ["Warning Diverged"]


def test_a_reason_that_comes_and_goes_is_not_said_each_time(watch: Watch) -> None:
    sent = [watch.after(1, decision) for _ in range(20) for decision in (ALERT, SERVING)]
    assert sent.count(["Warning Diverged"]) == 1


def test_serving_is_no_news(watch: Watch) -> None:
    assert watch.after(0, SERVING) == watch.after(60, SERVING) == []


def test_whatever_happens_there_is_a_most(watch: Watch) -> None:
    told = [watch.announcer.tell("Normal", "demoted", "again") for _ in range(BUDGET + 5)]
    assert told == [True] * BUDGET + [False] * 5
    watch.now += REPEAT_SECONDS
    assert watch.announcer.tell("Normal", "demoted", "again")


def test_what_waits_too_long_makes_room_and_is_not_taken_for_what_came_after(watch: Watch) -> None:
    watch.announcer.tell("Normal", "demoted", "first")
    oldest = watch.announcer.first()
    assert oldest
    for _ in range(WAITING_ROOM):
        watch.now += REPEAT_SECONDS
        watch.announcer.tell("Normal", "switched_over", "later")
    watch.announcer.done_with(oldest)
    assert watch.sent() == ["Normal SwitchedOver"] * WAITING_ROOM


def test_reasons_are_written_as_kubernetes_writes_them() -> None:
    assert camel_case("disk_replaced") == "DiskReplaced"
