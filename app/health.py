"""Questions to parts that may be down or hang, asked at the same time, each with a deadline."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any

THREADS = 16
# What has been silent for longer may hang, and another connection may not.
SHARED_SECONDS = 2.0


@dataclass(frozen=True)
class Answer:
    """What a part said, or why it said nothing."""

    value: Any = None
    error: str | None = None
    seconds: float = 0.0


class Prober:
    """Asks in threads; one that hangs costs a thread until its own network time-out, never the caller.

    A prober that shares gives the answer to everybody who asks under the same name meanwhile: however many
    ask, each part has only one to answer, and those that hang leave threads for the others.
    """

    def __init__(self, *, shares: bool = False) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="prober")
        self._shares = shares
        self._open: dict[str, tuple[Future[Answer], float]] = {}
        self._lock = threading.Lock()

    def ask(self, questions: Mapping[str, Callable[[], Any]], timeout_seconds: float) -> dict[str, Answer]:
        """Ask all questions; answers within `timeout_seconds`, whatever hangs."""
        deadline = time.monotonic() + timeout_seconds
        futures = {name: self._submit(name, question) for name, question in questions.items()}
        return {name: self._answer(future, deadline, timeout_seconds) for name, future in futures.items()}

    def close(self) -> None:
        """End without waiting for what hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _submit(self, name: str, question: Callable[[], Any]) -> Future[Answer]:
        if not self._shares:
            return self._threads.submit(_timed, question)
        now = time.monotonic()
        with self._lock:
            if name in self._open:
                asked, since = self._open[name]
                if not asked.done() and now - since < SHARED_SECONDS:
                    return asked
            asked = self._threads.submit(_timed, question)
            self._open[name] = (asked, now)
            return asked

    def _answer(self, future: Future[Answer], deadline: float, timeout_seconds: float) -> Answer:
        try:
            return future.result(max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            if not self._shares:
                future.cancel()
            return Answer(error=f"no answer within {timeout_seconds:g} s")
        except Exception as error:  # noqa: BLE001 - whatever a part's client raises, it is the answer
            return Answer(error=f"{type(error).__name__}: {error}".partition("\n")[0])


def _timed(question: Callable[[], Any]) -> Answer:
    started = time.perf_counter()
    value = question()
    return Answer(value=value, seconds=time.perf_counter() - started)
