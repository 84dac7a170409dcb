"""Things that go wrong with processes and tasks; each is undone at the end of its context."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

import httpx2 as httpx
from redis.exceptions import RedisError

from tests.stack.alerts.system import System
from tests.stack.parts import held_down

Harm = Callable[[System], AbstractContextManager[None]]
DEMO_USER = 1
# until the supervisor has seen that it ended
NOTICED_SECONDS = 0.5
AGAIN_SECONDS = 60
# kombu's names of what has been received and not acknowledged
UNACKED, UNACKED_INDEX = "unacked", "unacked_index"


def down(*names: str) -> Harm:
    """Kill parts and keep them down."""
    return lambda system: held_down(system.stack, *names)


def frozen(name: str) -> Harm:
    """Stop a process with its children, which keep all their connections."""

    @contextmanager
    def harm(system: System) -> Iterator[None]:
        part = system.stack.service(name)
        part.freeze()
        try:
            yield
        finally:
            part.kill()

    return harm


def killed(*names: str) -> Harm:
    """End processes once; their supervisor starts them anew."""

    @contextmanager
    def harm(system: System) -> Iterator[None]:
        for name in names:
            system.stack.service(name).kill_session()
        time.sleep(NOTICED_SECONDS)
        for name in names:
            system.stack.wait_ready(name, AGAIN_SECONDS)
        yield

    return harm


@contextmanager
def going_on(*acts: Callable[[], object], pause_seconds: float = 0.5) -> Iterator[None]:
    """Do something again and again meanwhile, each in a thread of its own."""
    ended = threading.Event()

    def repeat(act: Callable[[], object]) -> None:
        while not ended.is_set():
            # what is asked for it may not answer: it is being hurt
            with suppress(httpx.HTTPError, RedisError):
                act()
            ended.wait(pause_seconds)

    threads = [threading.Thread(target=repeat, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)


def accept(system: System, name: str, payload: Mapping[str, object] | None = None, api: int = 2) -> None:
    """Have one replica accept a task."""
    body = {"name": name, "payload": payload or {}}
    httpx.post(f"{system.url(api)}/api/tasks", json=body, timeout=15)


def accepted(
    name: str,
    payload: Mapping[str, object] | None = None,
    *,
    api: int = 2,
    clients: int = 1,
    pause_seconds: float = 0.5,
) -> Harm:
    """Let tasks come in, from as many clients at a time."""

    @contextmanager
    def harm(system: System) -> Iterator[None]:
        def act() -> None:
            accept(system, name, payload, api)

        with going_on(*[act] * clients, pause_seconds=pause_seconds):
            yield

    return harm


def read(api: int = 2) -> Harm:
    """Let somebody read, several times a second."""

    @contextmanager
    def harm(system: System) -> Iterator[None]:
        def act() -> None:
            httpx.get(f"{system.url(api)}/api/users", timeout=15)

        with going_on(act, pause_seconds=0.1):
            yield

    return harm


@contextmanager
def received_by_the_dead(system: System) -> Iterator[None]:
    """Take messages as a worker does that is killed at once: they lie in Redis, and nobody renews them."""

    def act() -> None:
        if message := system.redis.rpop("default"):
            tag = f"dead-{time.monotonic_ns()}"
            system.redis.hset(UNACKED, tag, json.dumps([json.loads(str(message)), "", "default"]))
            system.redis.zadd(UNACKED_INDEX, {tag: 0})

    with going_on(act, pause_seconds=0.2):
        yield


@contextmanager
def lost_messages(system: System) -> Iterator[None]:
    """Delete what waits in a queue that no worker takes from."""

    def act() -> None:
        accept(system, "elsewhere")
        system.redis.delete("elsewhere")

    with going_on(act, pause_seconds=1):
        yield
    with system.group.application_session() as cursor:
        cursor.execute("DELETE FROM tasks WHERE queue = 'elsewhere'")
    system.redis.delete("elsewhere")


def started(name: str, payload: Mapping[str, object] | None = None) -> Harm:
    """Have a worker begin a task."""

    @contextmanager
    def harm(system: System) -> Iterator[None]:
        accept(system, name, payload)
        time.sleep(1)
        yield

    return harm
