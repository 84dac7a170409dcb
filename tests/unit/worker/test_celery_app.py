"""What Celery is told, and what it tells of its processes."""

import pytest
from celery.exceptions import Reject, TimeLimitExceeded, WorkerLostError
from pydantic import BaseModel
from structlog.testing import capture_logs

from app.database.sessions import WriteSession
from app.settings import Settings
from app.tasks.registry import TaskRegistry, task
from worker.celery_app import LedgerTask, consumed_queues, create_celery
from worker.message import Delivery
from worker.outcome import Outcome
from worker.process import loss_of_process


class Nothing(BaseModel):
    pass


@task("quick")
def quick(session: WriteSession, payload: Nothing) -> None:
    del session, payload


@task("rare", queue="slow", time_limit_seconds=100)
def rare(session: WriteSession, payload: Nothing) -> None:
    del session, payload


def make_settings(**values: object) -> Settings:
    return Settings.model_validate({"db_password": "secret", "redis_password": "hidden", **values})


def run_nothing(*_: object) -> Outcome:
    return Outcome.SUCCEEDED


def test_every_task_is_registered_with_its_queue_and_its_limits() -> None:
    settings = make_settings(task_queue="default", task_time_limit_seconds=1800)
    registry = TaskRegistry([quick, rare])

    app = create_celery(settings, registry, run_nothing)

    assert registry.queues(settings.task_queue) == ["default", "slow"]
    assert set(app.amqp.queues) == {"default", "slow"}
    assert (app.tasks["quick"].soft_time_limit, app.tasks["quick"].time_limit) == (1746, 1800)
    assert (app.tasks["rare"].soft_time_limit, app.tasks["rare"].time_limit) == (97, 100)


@pytest.mark.parametrize(
    ("chosen", "consumed"),
    [("", ["default", "slow"]), ("slow", ["slow"]), ("slow, default", ["default", "slow"])],
)
def test_a_worker_takes_from_the_queues_it_is_told_to(chosen: str, consumed: list[str]) -> None:
    settings, registry = make_settings(worker_queues=chosen), TaskRegistry([quick, rare])

    assert consumed_queues(settings, registry) == consumed
    queues = create_celery(settings, registry, run_nothing).amqp.queues
    queues.select(consumed_queues(settings, registry))
    assert sorted(queues.consume_from) == consumed


def test_a_queue_that_no_task_uses_ends_the_worker_and_is_named() -> None:
    with pytest.raises(
        SystemExit, match="WORKER_QUEUES names solw, which no task uses: there are default, slow"
    ):
        consumed_queues(make_settings(worker_queues="solw,slow"), TaskRegistry([quick, rare]))


def test_messages_are_acknowledged_after_the_ledger_knows_and_whatever_happened() -> None:
    conf = create_celery(make_settings(), TaskRegistry([quick]), run_nothing).conf

    assert conf.task_acks_late
    assert conf.task_acks_on_failure
    assert conf.task_acks_on_timeout
    assert not conf.task_reject_on_worker_lost, "a task that kills its process must not come back by itself"
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]
    assert not conf.worker_send_task_events
    assert not conf.broker_transport_options.get("retry_on_timeout")


def test_what_the_ledger_could_not_decide_goes_back_to_the_queue() -> None:
    with pytest.raises(Reject) as rejected:
        LedgerTask(quick, make_settings(), lambda *_: Outcome.REQUEUED).run()

    assert vars(rejected.value)["requeue"]


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.REQUEUED])
def test_every_other_message_is_acknowledged(outcome: Outcome) -> None:
    handled: list[tuple[object, ...]] = []

    def handle(*arguments: object) -> Outcome:
        handled.append(arguments)
        return outcome

    LedgerTask(rare, make_settings(), handle).run()

    assert handled == [(rare, Delivery("None", "slow"))]


@pytest.mark.parametrize(("given", "known"), [("r1", "r1"), (None, None), ("*/ DROP", None), (7, None)])
def test_the_request_of_a_message_is_known_before_the_ledger_is_asked(
    given: object, known: str | None
) -> None:
    handled: list[Delivery] = []

    def handle(_definition: object, delivery: Delivery) -> Outcome:
        handled.append(delivery)
        return Outcome.SUCCEEDED

    task = LedgerTask(rare, make_settings(), handle)
    task.push_request(id="t1", request_id=given)
    task.run()

    assert handled == [Delivery("t1", "slow", known)]


def test_what_cannot_be_handled_is_logged_with_its_ids_and_without_its_text() -> None:
    def handle(*_: object) -> Outcome:
        raise ValueError("hunter2")

    task = LedgerTask(rare, make_settings(), handle)
    task.push_request(id="t1", request_id="r1")
    with capture_logs() as logs, pytest.raises(ValueError, match="hunter2"):
        task.run()

    (line,) = logs
    assert (line["event"], line["task_id"], line["request_id"]) == ("message not handled", "t1", "r1")


@pytest.mark.parametrize(
    ("delivery_info", "queue"),
    [({"redelivered": True}, "slow"), ({"redelivered": None}, None), ({}, None), (None, None)],
)
def test_a_message_that_came_before_is_known_by_its_queue(
    delivery_info: dict[str, object] | None, queue: str | None
) -> None:
    task = LedgerTask(rare, make_settings(), run_nothing)
    task.push_request(delivery_info=delivery_info)

    assert task.redelivered_from == queue


def test_the_loss_of_a_process_is_told_from_a_failure() -> None:
    lost = WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL) Job: 3.")

    assert loss_of_process(lost) == "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)"
    assert (
        loss_of_process(TimeLimitExceeded(1800))
        == "TimeLimitExceeded: killed after 1800 s, as it did not end when interrupted"
    )
    assert loss_of_process(ValueError("no luck")) is None
