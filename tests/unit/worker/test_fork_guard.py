"""In a process of its own, because a guard cannot be taken off again."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

SCRIPT = """
import os, threading, time
from worker.fork_guard import ForkGuard

guard, inside, ended = ForkGuard(), threading.Event(), threading.Event()
{install}

def turn():
    with guard:
        inside.set()
        time.sleep(0.3)
        ended.set()

threading.Thread(target=turn, daemon=True).start()
inside.wait()
child = os.fork()
if child == 0:
    with_guard_free = guard._lock.acquire(timeout=1)
    os._exit(0 if with_guard_free and ended.is_set() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
with guard:
    print("and the parent goes on")
"""


def fork_during_a_turn(install: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT.format(install=install)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return ended.stdout.splitlines()


def test_a_fork_waits_for_the_turn_of_a_thread_and_leaves_no_lock_behind() -> None:
    assert fork_during_a_turn("guard.install()") == ["0", "and the parent goes on"]


def test_without_the_guard_the_child_inherits_the_lock_for_ever() -> None:
    assert fork_during_a_turn("") == ["1", "and the parent goes on"]
