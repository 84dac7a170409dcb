"""What the model acts upon: two workers, two relays and a client on one ledger, and what was seen of it."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from hypothesis.stateful import RuleBasedStateMachine
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from app.database.routing import Database
from app.models import TaskStatus
from app.settings import Settings
from app.tasks.broker import PublishError
from tests.stack.ledger.attempts import Attempt, Order
from tests.stack.ledger.client import TrialClient
from tests.stack.ledger.faults import CommitFault, Crash, FaultyDatabase
from tests.stack.ledger.records import Record, read_records
from tests.stack.ledger.stand_in_queue import PublishFault, StandInQueue
from tests.stack.ledger.workers import TrialWorker
from worker.outcome import Outcome
from worker.relay.metrics import RelayMetrics
from worker.relay.relay import Relay

if TYPE_CHECKING:
    from app.tasks.broker import Broker
    from app.tasks.queues import QueueInspector

REDELIVERY_SECONDS = 120.0


class LedgerSystem(RuleBasedStateMachine):
    """All of it is Conveyor's own code on a real database; the queue alone is a stand-in."""

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
            silences=dict,
        )

    def work_undisturbed(self) -> None:
        for relay in self.relays:
            relay.publish_new()
            relay.reconcile()
        while self.queue.waiting:
            attempt = self.workers[0].receive(self.queue.take(0))
            if not attempt.has_ended:
                self.workers[0].go_on(attempt, Order.SUCCEED)

    def pass_of_a_relay(
        self, step: str, publish: PublishFault, commit: CommitFault, *, overtaken: bool
    ) -> None:
        first, second = self.relays

        def overtake(published: set[str]) -> None:
            before = len(self.queue.waiting)
            getattr(second, step)()
            added = {task_id for _, task_id in self.queue.waiting[before:]}
            assert not added & published, "no relay publishes what another is publishing"

        self.queue.fault = publish
        self.queue.when_published = overtake if overtaken else None
        self.faulty.tell(commit)
        self.survive(getattr(first, step))
        self.queue.fault, self.queue.when_published = PublishFault.NONE, None

    def hand_over(self, worker: TrialWorker, place: int, claim: CommitFault, *, twice: bool) -> None:
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

    def let_go_on(self, place: int, order: Order, end: CommitFault) -> None:
        worker, attempt = self.attempt_at(place)
        before = self.seen[attempt.task_id]
        may_change = worker.holds(attempt, before)
        self.faulty.tell(end)
        worker.go_on(attempt, order)
        if not may_change:
            assert read_records(self.database, self.name)[attempt.task_id] == before, "a late attempt is void"

    def survive(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (Crash, SQLAlchemyError, PublishError):
            return

    def has_open_tasks(self) -> bool:
        return not all(one.status.is_final for one in self.seen.values())

    def task_at(self, place: int) -> str:
        return sorted(self.seen)[place % len(self.seen)]

    def resting(self) -> list[tuple[TrialWorker, Attempt]]:
        return [(worker, attempt) for worker in self.workers for attempt in worker.attempts]

    def attempt_at(self, place: int) -> tuple[TrialWorker, Attempt]:
        resting = self.resting()
        return resting[place % len(resting)]
