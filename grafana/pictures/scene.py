"""Minutes in the life of a system of its own: work comes in waves, and parts of it die."""

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import httpx2 as httpx

from stack.disposable import clear_abandoned_runs
from stack.packages import find_daemons
from stack.ports import free_ports
from stack.supervisor import ROOT, Stack, StackConfig

RUNS = ROOT / ".cache" / "pictures"
APPLICATION = ("migrate", "api", "worker", "relay", "flower")
SETTINGS = {"TASK_MODULES": "grafana.pictures.work,greetings", "PYTHONPATH": f"{ROOT}:{ROOT / 'examples'}"}
SETTINGS |= {"TASK_LEASE_SECONDS": "15", "VISIBILITY_TIMEOUT_SECONDS": "20", "TASK_REDELIVERY_SECONDS": "15"}
TIMEOUT_SECONDS = 15.0
THREADS = 4
PAUSE_SECONDS = 0.35
WAVE_TASKS = 400
REDIS_AWAY_SECONDS = 20.0


@contextmanager
def running_system() -> Iterator[Stack]:
    """Start a stack on free ports, and leave nothing of it."""
    clear_abandoned_runs(RUNS)
    directory = RUNS / str(os.getpid())
    overrides = dict.fromkeys(APPLICATION, SETTINGS)
    config = StackConfig(directory, free_ports(), find_daemons(print), overrides, disposable=True)
    stack = Stack(config)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(directory, ignore_errors=True)


def play(stack: Stack, seconds: float, report: Callable[[str], None]) -> None:
    """Send work for so many seconds; each part dies at its share of them."""
    over = threading.Event()
    senders = [threading.Thread(target=_send, args=(stack.url, over)) for _ in range(THREADS)]
    for sender in senders:
        sender.start()
    started = time.monotonic()
    try:
        for share, name, act in ACTS:
            time.sleep(max(0.0, started + share * seconds - time.monotonic()))
            report(name)
            act(stack)
        time.sleep(max(0.0, started + seconds - time.monotonic()))
    finally:
        over.set()
        for sender in senders:
            sender.join()


def _send(url: str, over: threading.Event) -> None:
    draw = random.Random(threading.get_ident())
    with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
        for number in count():
            if over.wait(draw.uniform(0, 2 * PAUSE_SECONDS)):
                return
            try:
                answer = client.post("/api/tasks", json=_drawn(draw))
                if number % 2 and answer.is_success:
                    client.get(answer.headers["Location"])
                client.get("/api/products")
            except httpx.HTTPError:
                continue  # it is what the pictures are to show


def _drawn(draw: random.Random) -> dict[str, object]:
    user = {"user_id": draw.randint(1, 3)}
    return draw.choice(
        [
            {"name": "create_product_from_user", "payload": user},
            {"name": "greet_user", "payload": user},
            {"name": "send_newsletter", "payload": {"reader": draw.randint(1, 1000)}},
            {"name": "render_report", "payload": {"pages": draw.randint(1, 40)}},
        ]
    )


def _wave(stack: Stack) -> None:
    with httpx.Client(base_url=stack.url, timeout=TIMEOUT_SECONDS) as client:
        for number in range(WAVE_TASKS):
            client.post("/api/tasks", json={"name": "send_newsletter", "payload": {"reader": number}})
        for _ in range(WAVE_TASKS // 8):
            client.post("/api/tasks", json={"name": "render_report", "payload": {"pages": 30}})


def _kill_primary(stack: Stack) -> None:
    stack.service(_primary(stack)).kill_session()


def _primary(stack: Stack) -> str:
    for ordinal in range(3):
        answer = httpx.get(f"http://127.0.0.1:{stack.ports[f'agent-{ordinal}']}/primary", timeout=5)
        if answer.is_success:
            return f"mysql-{ordinal}"
    raise RuntimeError("no member of the MySQL group is its primary")


def _kill_worker(stack: Stack) -> None:
    stack.service("worker-1").kill_session()


def _take_redis_away(stack: Stack) -> None:
    redis = stack.service("redis")
    redis.pause_restart()
    redis.kill_session()
    try:
        time.sleep(REDIS_AWAY_SECONDS)
    finally:
        redis.resume_restart()


ACTS: tuple[tuple[float, str, Callable[[Stack], None]], ...] = (
    (0.15, "a wave of tasks", _wave),
    (0.4, "the MySQL primary is killed", _kill_primary),
    (0.6, "Redis is away", _take_redis_away),
    (0.8, "a worker is killed", _kill_worker),
)
