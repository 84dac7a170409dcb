"""Doing what the plan says."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from stack.part import Part
from tests.chaos.connection import Cut, Harm
from tests.chaos.plan import Fault, Kind
from tests.chaos.system import System
from tests.stack.mysql_group import ORDINALS
from tests.stack.waiting import wait_until

DEATH_SECONDS = 60.0
CONFIGURATION = "redis.conf"
HARMS = {
    "RESET": Harm.RESET,
    "DELAY": Harm.DELAY,
    "HALF_CLOSE": Harm.HALF_CLOSE,
    "SILENCE": Harm.SILENCE,
}


@dataclass(frozen=True)
class Done:
    """A fault that happened: when it began, and when there was an end to it (of a kill: at once)."""

    fault: Fault
    part: str  # the service that was hurt; "" for connections
    began: float
    ended: float
    replaces: int = 0  # the process that must be followed by another


class Saboteur:
    """Hurts a system; returns when the harm is over, not when the system is well again."""

    def __init__(self, system: System) -> None:
        self._system = system

    def do(self, fault: Fault) -> Done:
        action = fault.kind.name.partition("_")[2]
        if fault.kind.is_cut:
            return self._cut(fault, HARMS[action])
        name = self._name(fault)
        if fault.kind is Kind.CHILD_KILL:
            return self._kill_child(fault, name)
        if action == "FREEZE":
            return self._freeze(fault, name)
        if action == "WIPE":
            return self._wipe(fault, name)
        return self._kill(fault, name, signal.SIGTERM if action == "TERM" else signal.SIGKILL)

    def recovered(self, done: Done) -> None:
        """Wait until the part that was hurt is there again.

        Raises:
            AssertionError: it is not.
        """
        if not done.part:
            return
        part = self._part(done.part)
        if done.replaces:
            wait_until(lambda: part.pid != done.replaces, f"{done.part} is started anew", DEATH_SECONDS)
        part.wait_ready(120)

    def _name(self, fault: Fault) -> str:
        match fault.kind.part:
            case "primary" | "replica" as role:
                return self._system.group.server(self._member(role, fault.number))
            case "agent":
                return self._system.group.agent(fault.number - 1)
            case "redis":
                return "redis"
            case "child":
                return f"worker-{fault.number}"
            case part:
                return f"{part}-{fault.number}"

    def _member(self, role: str, number: int) -> int:
        group = self._system.group
        wait_until(lambda: len(group.answers("/primary")) == 1, "MySQL has a primary", DEATH_SECONDS)
        primary = group.primary()
        others = [ordinal for ordinal in ORDINALS if ordinal != primary]
        return primary if role == "primary" else others[number - 1]

    def _part(self, name: str) -> Part:
        return self._system.stack.service(name)

    def _kill(self, fault: Fault, name: str, signum: signal.Signals) -> Done:
        part = self._part(name)
        pid, began = part.pid, time.time()
        part.kill(signum)
        return Done(fault, name, began, began, replaces=pid)

    def _kill_child(self, fault: Fault, name: str) -> Done:
        children = psutil.Process(self._part(name).pid).children()
        began = time.time()
        if children:
            with suppress(psutil.NoSuchProcess):
                children[fault.number % len(children)].kill()
        return Done(fault, name, began, began)

    def _freeze(self, fault: Fault, name: str) -> Done:
        leader = psutil.Process(self._part(name).pid)
        processes = [leader, *(leader.children(recursive=True) if fault.whole else [])]
        began = time.time()
        try:
            _signal(processes, signal.SIGSTOP)
            time.sleep(fault.seconds)
        finally:
            _signal(processes, signal.SIGCONT)
        return Done(fault, name, began, time.time())

    def _wipe(self, fault: Fault, name: str) -> Done:
        part = self._part(name)
        pid, began = part.pid, time.time()
        part.pause_restart()
        try:
            part.kill()
            wait_until(lambda: not psutil.pid_exists(pid), f"{name} is dead", DEATH_SECONDS)
            for path in (self._system.stack.directory / "redis").iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name != CONFIGURATION:
                    path.unlink()
        finally:
            part.resume_restart()
        return Done(fault, name, began, began, replaces=pid)

    def _cut(self, fault: Fault, harm: Harm) -> Done:
        targets = ("redis",) if fault.kind.part == "redis" else ("mysql-primary", "mysql-replicas")
        links = [f"{client}-{target}" for client in fault.clients for target in targets]
        began = time.time()
        with self._harmed(links, Cut(harm, fault.whole, fault.delay)):
            time.sleep(fault.seconds)
        return Done(fault, "", began, time.time())

    @contextmanager
    def _harmed(self, links: list[str], cut: Cut) -> Iterator[None]:
        self._system.proxies.begin(links, cut)
        try:
            yield
        finally:
            self._system.proxies.end(links)


def _signal(processes: list[psutil.Process], signum: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signum)
