"""A run: load all the time, one step of the plan after the other, then the verdict."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pymysql
from redis.exceptions import RedisError

from tests.chaos.books import Books
from tests.chaos.faults import Done, Saboteur
from tests.chaos.load import Load
from tests.chaos.meter import Meter
from tests.chaos.plan import Fault, Plan, Step, count_faults
from tests.chaos.recovery import Costs, Incident, ended_tasks
from tests.chaos.report import Run
from tests.chaos.system import System
from tests.chaos.verdict import Effects, judge

POLL_SECONDS = 0.25
WARM_UP_SECONDS = 3.0
GROUP_SECONDS = 240.0
RELAYS = ("relay-1", "relay-2")


@dataclass(frozen=True)
class Effort:
    """How much load there is, and how long one waits for what was accepted."""

    tasks: int
    rate: float  # requests per second
    clients: int = 8
    settle_seconds: float = 90.0
    drain_seconds: float = 180.0


class Campaign:
    """Hurts a system under load according to a plan."""

    def __init__(self, system: System, effort: Effort, progress: Callable[[str], None]) -> None:
        self._system = system
        self._effort = effort
        self._progress = progress
        self._books = Books(system)
        self._saboteur = Saboteur(system)
        self._written_off: set[str] = set()
        self._known_finished: set[str] = set()
        self._incidents: list[Incident] = []
        self._notes: list[str] = []

    def run(self, seed: int, plan: Plan) -> Run:
        """Carry the plan out and judge."""
        started = time.time()
        self._books.prepare()
        path = f"/api/users/{self._system.user()}/create-product"
        effort, stock = self._effort, self._system.stock
        load = Load(self._system.port, path, effort.rate, effort.clients, keys=not stock)
        meter = Meter({} if stock else {name: self._system.stack.ports[name] for name in RELAYS})
        meter.start()
        load.start()
        try:
            time.sleep(WARM_UP_SECONDS)
            self._carry_out(plan, load)
            self._reach(load, effort.tasks)
        finally:
            load.stop()
        effects = self._drained(load)
        meter.stop()
        self._books.close()
        return self._judged(seed, load, effects, meter, time.time() - started)

    def _carry_out(self, plan: Plan, load: Load) -> None:
        total, done = count_faults(plan), 0
        for number, step in enumerate(plan, 1):
            self._progress(
                f"fault {done + 1} of {total}, {load.journal.accepted} tasks accepted: "
                f"{' and '.join(fault.kind.value for fault in step.faults)}"
            )
            self._take(number, step, load)
            done += len(step.faults)

    def _take(self, number: int, step: Step, load: Load) -> None:
        time.sleep(step.pause)
        began = time.time()
        with ThreadPoolExecutor(len(step.faults)) as pool:
            done = tuple(pool.map(self._do, step.faults))
        for one in done:
            self._saboteur.recovered(one)
        if any(one.fault.kind.harms_a_member for one in done):
            self._system.group.wait_complete(GROUP_SECONDS)
        missing = self._settle(load, max(one.ended for one in done), self._effort.settle_seconds)
        if missing:
            self._written_off |= missing
            self._notes.append(f"{len(missing)} tasks were still open long after step {number} ({step})")
        self._incidents.append(Incident(done, began, time.time()))

    def _do(self, fault: Fault) -> Done:
        time.sleep(fault.offset)
        return self._saboteur.do(fault)

    def _settle(self, load: Load, moment: float, seconds: float) -> set[str]:
        """Wait until all that was accepted until a moment has ended; return what has not."""
        open_tasks = load.journal.accepted_until(moment) - self._written_off - self._known_finished
        deadline = time.monotonic() + seconds
        while open_tasks and time.monotonic() < deadline:
            try:
                finished = self._books.finished(open_tasks)
            except pymysql.MySQLError:
                finished = set()
            open_tasks -= finished
            self._known_finished |= finished
            if open_tasks:
                time.sleep(POLL_SECONDS)
        return open_tasks

    def _reach(self, load: Load, tasks: int) -> None:
        deadline = time.monotonic() + 60 + 3 * tasks / self._effort.rate
        while load.journal.accepted < tasks and time.monotonic() < deadline:
            self._progress(f"all faults are over, {load.journal.accepted} of {tasks} tasks accepted")
            time.sleep(1)

    def _drained(self, load: Load) -> Effects:
        self._progress("waiting for what is left …")
        self._settle(load, time.time(), self._effort.drain_seconds)
        deadline = time.monotonic() + self._effort.drain_seconds
        while not self._at_rest() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._progress("reading what was done …")
        return self._books.effects()

    def _at_rest(self) -> bool:
        try:
            return len(set(self._books.positions().values())) == 1 and not self._books.leftovers()
        except (pymysql.MySQLError, RedisError):
            return False

    def _judged(self, seed: int, load: Load, effects: Effects, meter: Meter, seconds: float) -> Run:
        orders, tries = load.journal.orders, load.journal.tries()
        costs = Costs(ended_tasks(orders, effects), tries, meter.between)
        return Run(
            system="stock Celery and Redis" if self._system.stock else "Conveyor",
            seed=seed,
            seconds=seconds,
            requests=len(tries),
            uncertain=sum(len(order.uncertain) for order in orders),
            verdict=judge(orders, effects),
            costs=[
                (done.fault.kind, costs.of(incident, done))
                for incident in self._incidents
                for done in incident.faults
            ],
            members=len(effects.positions),
            notes=self._notes,
        )
