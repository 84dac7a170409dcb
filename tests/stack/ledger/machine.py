"""The ledger under every fault: rules act through Conveyor's own code, invariants hold after each."""

import secrets
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from app.database.routing import Database
from app.models import TaskStatus
from app.settings import Settings
from app.tasks.broker import PublishError
from tests.stack.ledger.client import TrialClient
from tests.stack.ledger.faults import CommitFault, Crash, FaultyDatabase
from tests.stack.ledger.records import Record, age_tasks, read_records
from tests.stack.ledger.stand_in_queue import PublishFault, StandInQueue
from tests.stack.ledger.workers import LEASE_SECONDS, Attempt, Order, TrialWorker
from worker.outcome import Outcome
from worker.relay.metrics import RelayMetrics
from worker.relay.relay import Relay

if TYPE_CHECKING:
    from app.tasks.broker import Broker
    from app.tasks.queues import QueueInspector

REDELIVERY_SECONDS = 120.0
ROUNDS_TO_QUIESCENCE = 30
MOST_TASKS, MOST_CANCELLED = 6, 2
STEPS = ("publish_new", "reconcile")
# most things go well, or nothing would ever get far enough to go wrong
commits = st.sampled_from([CommitFault.NONE] * 6 + list(CommitFault))
publications = st.sampled_from([PublishFault.NONE] * 4 + list(PublishFault))
places = st.integers(0, 7)


class Death(Enum):
    """What dies with an attempt that is under way, and who gets to know."""

    OF_PROCESS = "its process, and the parent records it"
    OF_PROCESS_UNNOTICED = "its process, and nobody tells"
    OF_PROCESS_AFTER_THE_EFFECT = "its process, between the effect and the commit"
    OF_WORKER = "the whole worker, and the messages it held"
    OF_WORKER_MESSAGES_RETURNED = "the whole worker, but Redis returns its messages"
    IN_ORDER = "the worker, told to end"


class LedgerMachine(RuleBasedStateMachine):
    """Two workers, two relays and a client on one real database; the queue alone is a stand-in."""

    database: ClassVar[Database]
    settings: ClassVar[Settings]
    user_id: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.name = f"model-{secrets.token_hex(6)}"
        self.faulty = FaultyDatabase(self.database)
        self.queue = StandInQueue()
        settings = self.settings.model_copy(update={"task_queue": self.name, "task_max_retries": 2})
        self.client = TrialClient(self.faulty, self.queue, settings)
        self.workers = [TrialWorker(self.faulty, self.name) for _ in range(2)]
        self.relays = [self._relay() for _ in range(2)]
        self.promised: set[str] = set()
        self.keys: dict[str, str] = {}
        self.seen: dict[str, Record] = {}
        self.replayed: set[str] = set()
        self.cancelled: set[str] = set()

    def _relay(self) -> Relay:
        return Relay(
            cast("Database", self.faulty),
            cast("Broker", self.queue),
            cast("QueueInspector", self.queue),
            RelayMetrics(CollectorRegistry()),
            queues=[self.name],
            batch_size=4,
            min_age_seconds=1,
            redelivery_seconds=REDELIVERY_SECONDS,
        )

    @initialize(count=st.integers(1, 3), started=st.integers(0, 2))
    def begin_with_tasks(self, count: int, started: int) -> None:
        for _ in range(count):
            self.accept(None, CommitFault.NONE)
        self.publish_what_was_accepted(PublishFault.NONE, CommitFault.NONE)
        for worker in self.workers[: min(started, count)]:
            worker.receive(self.queue.take(0))

    # The client

    @precondition(lambda self: len(self.seen) < MOST_TASKS)
    @rule(key=st.sampled_from([None, None, "a", "b"]), fault=commits)
    def accept(self, key: str | None, fault: CommitFault) -> None:
        full_key = f"{self.name}-{key}" if key else None
        task_id = self.client.accept(self.user_id, full_key, fault)
        if task_id is None:
            return
        self.promised.add(task_id)
        if key:
            assert self.keys.setdefault(key, task_id) == task_id, "one key, one task"

    @precondition(lambda self: self.client.has_fresh)
    @rule(publish=publications, commit=commits)
    def publish_what_was_accepted(self, publish: PublishFault, commit: CommitFault) -> None:
        self.client.publish_fresh(publish, commit)

    @precondition(lambda self: self.seen and len(self.cancelled) < MOST_CANCELLED)
    @rule(place=places, fault=commits)
    def cancel(self, place: int, fault: CommitFault) -> None:
        task_id = self._task(place)
        if self.client.cancel(task_id, fault):
            self.cancelled.add(task_id)

    @precondition(lambda self: any(one.status is TaskStatus.FAILED for one in self.seen.values()))
    @rule(place=places, fault=commits)
    def replay(self, place: int, fault: CommitFault) -> None:
        failed = sorted(one.task_id for one in self.seen.values() if one.status is TaskStatus.FAILED)
        task_id = failed[place % len(failed)]
        if self.client.replay(task_id, fault) or fault.commits:
            self.replayed.add(task_id)
            queued = read_records(self.database, self.name)[task_id]
            assert (queued.status, queued.attempts) == (TaskStatus.QUEUED, 0), queued

    # Messages

    @precondition(lambda self: self.queue.waiting)
    @rule(place=places, claim=commits, twice=st.booleans())
    def one_worker_receives(self, place: int, claim: CommitFault, twice: bool) -> None:  # noqa: FBT001 - drawn
        self._deliver(self.workers[0], place, claim, twice=twice)

    @precondition(lambda self: self.queue.waiting)
    @rule(place=places, claim=commits, twice=st.booleans())
    def the_other_worker_receives(self, place: int, claim: CommitFault, twice: bool) -> None:  # noqa: FBT001 - drawn
        self._deliver(self.workers[1], place, claim, twice=twice)

    @precondition(lambda self: self.queue.waiting)
    @rule(place=places, all_=st.sampled_from([False, False, False, True]))
    def lose_messages(self, place: int, all_: bool) -> None:  # noqa: FBT001 - drawn
        if all_:
            self.queue.lose_everything()
        else:
            self.queue.take(place % len(self.queue.waiting))

    # Attempts that rest in the middle of their task

    @precondition(lambda self: self._resting())
    @rule(place=places, end=commits)
    def succeed(self, place: int, end: CommitFault) -> None:
        self._go_on(place, Order.SUCCEED, end)

    @precondition(lambda self: self._resting())
    @rule(place=places, order=st.sampled_from([Order.FAIL, Order.FAIL_FOR_GOOD]), end=commits)
    def fail(self, place: int, order: Order, end: CommitFault) -> None:
        self._go_on(place, order, end)

    @precondition(lambda self: self._resting())
    @rule(place=places, death=st.sampled_from(Death), fault=commits)
    def die(self, place: int, death: Death, fault: CommitFault) -> None:
        worker, attempt = self._chosen(place)
        self.faulty.tell(fault)
        held: list[str] = []
        match death:
            case Death.OF_PROCESS_UNNOTICED:
                self._go_on(place, Order.CRASH, CommitFault.NONE)
            case Death.OF_PROCESS_AFTER_THE_EFFECT:
                self._go_on(place, Order.CRASH_AFTER_EFFECT, CommitFault.NONE)
            case Death.OF_PROCESS:
                self._survive(lambda: worker.lose_process(attempt))
            case Death.OF_WORKER:
                worker.die()
            case Death.OF_WORKER_MESSAGES_RETURNED:
                held = worker.die()
            case Death.IN_ORDER:
                held = worker.stop()
        for task_id in held:
            self.queue.put_back(task_id)

    @precondition(lambda self: self._resting())
    @rule(place=places, fault=commits)
    def renew_leases(self, place: int, fault: CommitFault) -> None:
        self.faulty.tell(fault)
        self._survive(self._chosen(place)[0].renew)

    @precondition(lambda self: self._resting())
    @rule(place=places)
    def a_silent_worker_is_replaced(self, place: int) -> None:
        self.faulty.tell()
        self.let_time_pass(LEASE_SECONDS + 1)
        self.relays[0].reconcile()
        for _ in range(len(self.queue.waiting)):
            self._deliver(self.workers[place % 2], 0, CommitFault.NONE, twice=False)

    # Relays and time

    @precondition(lambda self: self._open())
    @rule(step=st.sampled_from(STEPS), publish=publications, commit=commits, overtaken=st.booleans())
    def relay(self, step: str, publish: PublishFault, commit: CommitFault, overtaken: bool) -> None:  # noqa: FBT001 - drawn
        self._pass(step, publish, commit, overtaken=overtaken)

    @precondition(lambda self: self._open())
    @rule(seconds=st.sampled_from([2.0, LEASE_SECONDS + 1, REDELIVERY_SECONDS + 1]))
    def let_time_pass(self, seconds: float) -> None:
        age_tasks(self.database, self.name, seconds)
        self.queue.age(seconds)

    # What always holds

    @invariant()
    def the_ledger_is_true(self) -> None:
        records = read_records(self.database, self.name)
        assert self.promised <= records.keys(), "what was promised is written"
        for task_id, now in records.items():
            effects = 1 if now.status is TaskStatus.SUCCEEDED else 0
            assert (now.products, now.log_rows) == (effects, effects), f"effects of a task: {now}"
            assert 0 <= now.attempts <= now.max_attempts, now
            assert (now.lease_owner is not None) == (now.status is TaskStatus.RUNNING), now
            assert task_id not in self.cancelled or now.status is TaskStatus.CANCELLED, now
            before = self.seen.get(task_id)
            if before and before.status.is_final and task_id not in self.replayed:
                assert now == before, "what is final stays"
        self.seen, self.replayed = records, set()

    def teardown(self) -> None:
        """Let every fault cease: then every task ends, with one effect if it succeeded."""
        for worker in self.workers:
            worker.die()
        for _ in range(ROUNDS_TO_QUIESCENCE):
            if all(one.status.is_final for one in read_records(self.database, self.name).values()):
                break
            self.let_time_pass(REDELIVERY_SECONDS + 1)
            self.faulty.tell()
            self._quiet_round()
        self.the_ledger_is_true()
        assert all(one.status.is_final for one in self.seen.values()), self.seen

    def _quiet_round(self) -> None:
        for relay in self.relays:
            relay.publish_new()
            relay.reconcile()
        while self.queue.waiting:
            attempt = self.workers[0].receive(self.queue.take(0))
            if not attempt.has_ended:
                self.workers[0].go_on(attempt, Order.SUCCEED)

    def _pass(self, step: str, publish: PublishFault, commit: CommitFault, *, overtaken: bool) -> None:
        first, second = self.relays

        def overtake(published: set[str]) -> None:
            before = len(self.queue.waiting)
            getattr(second, step)()
            added = {task_id for _, task_id in self.queue.waiting[before:]}
            assert not added & published, "no relay publishes what another is publishing"

        self.queue.fault = publish
        self.queue.when_published = overtake if overtaken else None
        self.faulty.tell(commit)
        self._survive(getattr(first, step))
        self.queue.fault, self.queue.when_published = PublishFault.NONE, None

    def _deliver(self, worker: TrialWorker, place: int, claim: CommitFault, *, twice: bool) -> None:
        task_id = self.queue.take(place % len(self.queue.waiting))
        if twice:
            self.queue.put_back(task_id)
        before = self.seen[task_id].status
        self.faulty.tell(claim)
        attempt = worker.receive(task_id)
        if attempt.outcome is Outcome.REQUEUED:
            self.queue.put_back(task_id)
        assert attempt.has_ended or not before.is_final, "a final task is not run"
        if before is TaskStatus.QUEUED and claim is CommitFault.UNANSWERED:
            assert not attempt.has_ended, "a claim that was committed is taken up"

    def _go_on(self, place: int, order: Order, end: CommitFault) -> None:
        worker, attempt = self._chosen(place)
        before = self.seen[attempt.task_id]
        may_change = worker.holds(attempt, before)
        self.faulty.tell(end)
        worker.go_on(attempt, order)
        if not may_change:
            assert read_records(self.database, self.name)[attempt.task_id] == before, "a late attempt is void"

    def _survive(self, act: Any) -> None:  # noqa: ANN401 - any call
        try:
            act()
        except (Crash, SQLAlchemyError, PublishError):
            return

    def _open(self) -> bool:
        return not all(one.status.is_final for one in self.seen.values())

    def _task(self, place: int) -> str:
        return sorted(self.seen)[place % len(self.seen)]

    def _resting(self) -> list[tuple[TrialWorker, Attempt]]:
        return [(worker, attempt) for worker in self.workers for attempt in worker.attempts]

    def _chosen(self, place: int) -> tuple[TrialWorker, Attempt]:
        resting = self._resting()
        return resting[place % len(resting)]
