"""Questions to parts that may be down or hang, asked at the same time, each with a deadline."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any

THREADS = 8


@dataclass(frozen=True)
class Answer:
    """What a part said, or why it said nothing."""

    value: Any = None
    error: str | None = None
    seconds: float = 0.0


class Prober:
    """Asks in threads; one that hangs costs a thread until its own network time-out, never the caller."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="prober")

    def ask(self, questions: Mapping[str, Callable[[], Any]], timeout_seconds: float) -> dict[str, Answer]:
        """Ask all questions; answers within `timeout_seconds`, whatever hangs."""
        deadline = time.monotonic() + timeout_seconds
        futures = {name: self._threads.submit(_timed, question) for name, question in questions.items()}
        return {name: _answer(future, deadline, timeout_seconds) for name, future in futures.items()}

    def close(self) -> None:
        """End without waiting for what hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _timed(question: Callable[[], Any]) -> Answer:
    started = time.perf_counter()
    value = question()
    return Answer(value=value, seconds=time.perf_counter() - started)


def _answer(future: Future[Answer], deadline: float, timeout_seconds: float) -> Answer:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except FutureTimeoutError:
        future.cancel()
        return Answer(error=f"no answer within {timeout_seconds:g} s")
    except Exception as error:  # noqa: BLE001 - whatever a part's client raises, it is the answer
        return Answer(error=f"{type(error).__name__}: {error}".partition("\n")[0])
