"""The ledger under every fault: rules act through Conveyor's own code, invariants hold after each."""

from enum import Enum

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from app.models import TaskStatus
from tests.stack.ledger.attempts import Order
from tests.stack.ledger.faults import CommitFault
from tests.stack.ledger.records import age_tasks, read_records
from tests.stack.ledger.stand_in_queue import PublishFault
from tests.stack.ledger.system import REDELIVERY_SECONDS, LedgerSystem
from tests.stack.ledger.workers import LEASE_SECONDS

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


class LedgerMachine(LedgerSystem):
    """Two workers, two relays, a client, and all that can befall them."""

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
        task_id = self.task_at(place)
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
        self.hand_over(self.workers[0], place, claim, twice=twice)

    @precondition(lambda self: self.queue.waiting)
    @rule(place=places, claim=commits, twice=st.booleans())
    def the_other_worker_receives(self, place: int, claim: CommitFault, twice: bool) -> None:  # noqa: FBT001 - drawn
        self.hand_over(self.workers[1], place, claim, twice=twice)

    @precondition(lambda self: self.queue.waiting)
    @rule(place=places, all_=st.sampled_from([False, False, False, True]))
    def lose_messages(self, place: int, all_: bool) -> None:  # noqa: FBT001 - drawn
        if all_:
            self.queue.lose_everything()
        else:
            self.queue.take(place % len(self.queue.waiting))

    # Attempts that rest in the middle of their task

    @precondition(lambda self: self.resting())
    @rule(place=places, end=commits)
    def succeed(self, place: int, end: CommitFault) -> None:
        self.let_go_on(place, Order.SUCCEED, end)

    @precondition(lambda self: self.resting())
    @rule(place=places, order=st.sampled_from([Order.FAIL, Order.FAIL_FOR_GOOD]), end=commits)
    def fail(self, place: int, order: Order, end: CommitFault) -> None:
        self.let_go_on(place, order, end)

    @precondition(lambda self: self.resting())
    @rule(place=places, death=st.sampled_from(Death), fault=commits)
    def die(self, place: int, death: Death, fault: CommitFault) -> None:
        worker, attempt = self.attempt_at(place)
        self.faulty.tell(fault)
        held: list[str] = []
        match death:
            case Death.OF_PROCESS_UNNOTICED:
                self.let_go_on(place, Order.CRASH, CommitFault.NONE)
            case Death.OF_PROCESS_AFTER_THE_EFFECT:
                self.let_go_on(place, Order.CRASH_AFTER_EFFECT, CommitFault.NONE)
            case Death.OF_PROCESS:
                self.survive(lambda: worker.lose_process(attempt))
            case Death.OF_WORKER:
                worker.die()
            case Death.OF_WORKER_MESSAGES_RETURNED:
                held = worker.die()
            case Death.IN_ORDER:
                held = worker.stop()
        for task_id in held:
            self.queue.put_back(task_id)

    @precondition(lambda self: self.resting())
    @rule(place=places, fault=commits)
    def renew_leases(self, place: int, fault: CommitFault) -> None:
        self.faulty.tell(fault)
        self.survive(self.attempt_at(place)[0].renew)

    @precondition(lambda self: self.resting())
    @rule(place=places)
    def a_silent_worker_is_replaced(self, place: int) -> None:
        self.faulty.tell()
        self.let_time_pass(LEASE_SECONDS + 1)
        self.relays[0].reconcile()
        for _ in range(len(self.queue.waiting)):
            self.hand_over(self.workers[place % 2], 0, CommitFault.NONE, twice=False)

    # Relays and time

    @precondition(lambda self: self.has_open_tasks())
    @rule(step=st.sampled_from(STEPS), publish=publications, commit=commits, overtaken=st.booleans())
    def relay(self, step: str, publish: PublishFault, commit: CommitFault, overtaken: bool) -> None:  # noqa: FBT001 - drawn
        self.pass_of_a_relay(step, publish, commit, overtaken=overtaken)

    @precondition(lambda self: self.has_open_tasks())
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
            self.work_undisturbed()
        self.the_ledger_is_true()
        assert all(one.status.is_final for one in self.seen.values()), self.seen
