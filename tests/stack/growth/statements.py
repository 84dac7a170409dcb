"""What runs again and again while the system works: for each task, in each pass, at each look."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.attempts.repository import Attempt, AttemptRepository
from app.backups.repository import BackupRepository
from app.batches.repository import BatchRepository, End
from app.database.sessions import WriteSession
from app.models import TaskStatus
from app.operations.repository import OperationsRepository
from app.outbox.repository import BacklogRepository, OutboxRepository
from app.products.repository import ProductRepository
from app.requests.repository import RequestLogRepository
from app.retention.repository import AgeRepository, EndedTasks, LoggedRequests
from app.tasks.repository import TaskChanges, TaskRepository
from app.users.repository import UserRepository
from tests.stack.growth.large_tables import task_id

PAGE = 50
QUEUED, RUNNING, SUCCEEDED = task_id("6"), task_id("3"), task_id("5")
UNPUBLISHED = [task_id("2", number) for number in (1, 2, 3)]
NOW = datetime.now(UTC)
LONG_AGO, SHORTLY = NOW - timedelta(hours=2), NOW - timedelta(minutes=30)
LATE = datetime(5400, 1, 1, tzinfo=UTC)  # in the ids' time, in which `5…` lies far ahead
Act = Callable[[WriteSession], object]


def attempt() -> Attempt:
    return Attempt(RUNNING, "sample", "default", 1, 4, "worker", {}, 60, None)


def outbox(act: Callable[[OutboxRepository], object]) -> Act:
    return lambda session: act(OutboxRepository(session))


def attempts(act: Callable[[AttemptRepository], object]) -> Act:
    return lambda session: act(AttemptRepository(session))


def tasks(act: Callable[[TaskRepository], object]) -> Act:
    return lambda session: act(TaskRepository(session))


def tasks_that_are(status: TaskStatus, before: str | None) -> Act:
    return tasks(lambda one: one.list(status, before, PAGE))


def products(user_id: int | None, before: int | None) -> Act:
    return lambda session: ProductRepository(session).list(user_id, before, PAGE)


def requests(server_id: str | None, before: int | None) -> Act:
    return lambda session: RequestLogRepository(session).list(server_id, before, PAGE)


def operations(act: Callable[[OperationsRepository], object]) -> Act:
    return lambda session: act(OperationsRepository(session))


STATEMENTS: dict[str, Act] = {
    # a worker
    "claim a task": attempts(lambda one: one.claim(QUEUED, "me", "me", 60)),
    "claim one that is over": attempts(lambda one: one.claim(SUCCEEDED, "me", "me", 60)),
    "find what is held": attempts(lambda one: one.find_held(RUNNING, "worker", 0)),
    "succeed": attempts(lambda one: one.succeed(attempt(), None)),
    "retry later": attempts(lambda one: one.retry_later(attempt(), "error")),
    "fail": attempts(lambda one: one.fail(attempt(), "error")),
    "renew leases": attempts(lambda one: one.renew("worker", [RUNNING, QUEUED], 60)),
    "give back what is held": attempts(lambda one: one.release("worker")),
    "look whether it is cancelled": attempts(lambda one: one.is_cancelled(attempt())),
    "lock a batch": lambda session: BatchRepository(session).lock([QUEUED, task_id("6", 2)]),
    "end a batch": lambda session: BatchRepository(session).succeed(
        [End(QUEUED, None, 1, {}), End(task_id("6", 2), None, 1, {})], "me", "sample"
    ),
    "count what a batch may be at": attempts(lambda one: one.count_waiting([QUEUED, task_id("6", 2)])),
    "log a task": lambda session: RequestLogRepository(session).add_task_run(QUEUED, "sample", 1, None),
    # the relay
    "find what is not published": outbox(lambda one: one.lock_unpublished(1, PAGE)),
    "find what was lost from a long queue": outbox(
        lambda one: one.lock_overdue("default", LONG_AGO, 120, PAGE)
    ),
    "find what was lost from an empty queue": outbox(
        lambda one: one.lock_overdue("default", None, 120, PAGE)
    ),
    "find what was abandoned": outbox(lambda one: one.lock_abandoned({"default": NOW}, 120, PAGE)),
    "mark what is published": outbox(lambda one: one.mark_published(UNPUBLISHED)),
    "mark what was just accepted": outbox(lambda one: one.mark_first_publication(UNPUBLISHED)),
    "count what is not published": lambda session: BacklogRepository(session).backlog(),
    "find the last backup": lambda session: BackupRepository(session).newest(),
    "remove old tasks": lambda session: EndedTasks(TaskStatus.SUCCEEDED).remove(session, LATE, None, PAGE),
    "pass over old tasks": lambda session: EndedTasks(TaskStatus.FAILED).remove(session, NOW, None, PAGE),
    "remove old requests": lambda session: LoggedRequests().remove(session, NOW, None, PAGE),
    "tell the age of the oldest": lambda session: AgeRepository(session).oldest(),
    # a client
    "show a task": tasks(lambda one: one.get(SUCCEEDED)),
    "find tasks by their keys": tasks(lambda one: one.list_by_keys(["5-1", "5-2", "unknown"])),
    "cancel": lambda session: TaskChanges(session).cancel(QUEUED),
    "replay": lambda session: TaskChanges(session).requeue_failed(task_id("0")),
    "list tasks": tasks(lambda one: one.list(None, None, PAGE)),
    "list older tasks": tasks(lambda one: one.list(None, SUCCEEDED, PAGE)),
    **{f"list tasks that are {status.value}": tasks_that_are(status, None) for status in TaskStatus},
    **{
        f"list older tasks that are {status.value}": tasks_that_are(status, task_id("7", 9))
        for status in TaskStatus
    },
    "list products": products(None, None),
    "list older products": products(None, 40_000),
    "list the many products of a user": products(1, None),
    "list the few products of a user": products(2, None),
    "list older ones of a user": products(1, 40_000),
    "list requests": requests(None, None),
    "list the many requests of a server": requests("celery-worker", None),
    "list the few requests of a server": requests("api-0", None),
    "list older ones of the few": requests("api-0", 3),
    "list the requests of a server that made none": requests("nobody", None),
    "list older requests of a server": requests("api-1", 40_000),
    "list users": lambda session: UserRepository(session).list(0, PAGE),
    # a person on call
    "count what succeeded lately": operations(lambda one: one.succeeded(SHORTLY)),
    "count what failed lately": operations(lambda one: one.ended_as(TaskStatus.FAILED, SHORTLY)),
    "count what was cancelled lately": operations(lambda one: one.ended_as(TaskStatus.CANCELLED, SHORTLY)),
    "count what failed": operations(lambda one: one.count_failed()),
}
