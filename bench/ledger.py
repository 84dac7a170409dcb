"""The ledger as clients see it: when each task did what, and whether each took effect exactly once."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Self

from bench.api import Api
from bench.failure import BenchError

PAGE = 200
POLL_SECONDS = 0.25
# A member that answers may be a moment behind the one that was asked before.
CATCH_UP_SECONDS = 15
NAMED = 3
MOST_TOGETHER = 1000


@dataclass(frozen=True)
class LedgerTask:
    """A finished task; times are seconds since the epoch by the database's clock."""

    task_id: str
    status: str
    worker: str
    created: float
    started: float
    finished: float

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        return cls(
            item["task_id"],
            item["status"],
            item["worker"] or "",
            *(_seconds(item[name]) for name in ("created_at", "started_at", "finished_at")),
        )


class Ledger:
    """Asks the API for users, tasks and products."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def new_user(self) -> int:
        body = {"name": "Bench", "email": f"bench-{time.time_ns()}@example.com"}
        return int(self._api.post("/api/users", body, HTTPStatus.CREATED)["id"])

    def accept_together(self, user_id: int, count: int) -> list[str]:
        """Have tasks accepted, as many as can be in one transaction; returns their ids."""
        accepted: list[str] = []
        while missing := count - len(accepted):
            body = {"user_ids": [user_id] * min(missing, MOST_TOGETHER)}
            answer = self._api.post("/api/users/create-products", body, HTTPStatus.ACCEPTED)
            accepted += [task["task_id"] for task in answer["tasks"]]
        return accepted

    def wait_until_finished(self, deadline_seconds: float) -> None:
        deadline = time.monotonic() + deadline_seconds
        while status := self._unfinished():
            if time.monotonic() > deadline:
                raise BenchError(f"there are {status} tasks still after {deadline_seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def verified(self, user_id: int, accepted: Collection[str], unclear: int = 0) -> list[LedgerTask]:
        """Return the accepted tasks once each of them has taken effect exactly once.

        `unclear` requests got no right answer, so each of them may have been accepted as well.
        """
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while True:
            tasks = self._tasks(accepted)
            wrong = discrepancies(accepted, tasks, self._products_of(user_id), unclear)
            if not wrong:
                return tasks
            if time.monotonic() > deadline:
                raise BenchError("not exactly once: " + "; ".join(wrong))
            time.sleep(POLL_SECONDS)

    def _unfinished(self) -> str:
        states = ("queued", "running", "retrying")
        return next((state for state in states if self._page("tasks", f"status={state}", 1)["items"]), "")

    def _tasks(self, accepted: Collection[str]) -> list[LedgerTask]:
        wanted, oldest, found = set(accepted), min(accepted), []
        for item in self._pages("tasks"):
            if item["task_id"] in wanted:
                found.append(LedgerTask.of(item))
            if item["task_id"] <= oldest:  # ids are ordered by time
                break
        return found

    def _products_of(self, user_id: int) -> list[str]:
        """Return the task of each product of a user."""
        return [str(item["task_id"]) for item in self._pages("products", f"user_id={user_id}")]

    def _pages(self, kind: str, condition: str = "") -> Iterator[dict[str, Any]]:
        page = self._page(kind, condition, PAGE)
        yield from page["items"]
        while page["next"]:
            page = self._page(kind, f"{condition}&before={page['next']}", PAGE)
            yield from page["items"]

    def _page(self, kind: str, condition: str, limit: int) -> dict[str, Any]:
        page: dict[str, Any] = self._api.get(f"/api/{kind}?limit={limit}&{condition}")
        return page


def discrepancies(
    accepted: Collection[str], tasks: Iterable[LedgerTask], products: Collection[str], unclear: int = 0
) -> list[str]:
    """Say what contradicts that each accepted task succeeded and made one product."""
    succeeded = {task.task_id for task in tasks if task.status == "succeeded"}
    made = Counter(products)
    unexpected = set(made) - set(accepted)
    return [
        *_named("accepted but not succeeded", set(accepted) - succeeded),
        *_named("accepted but without a product", set(accepted) - set(made)),
        *_named("with more than one product", {task_id for task_id, times in made.items() if times > 1}),
        *(_named("with a product but never accepted", unexpected) if len(unexpected) > unclear else ()),
    ]


def tasks_per_second(tasks: Collection[LedgerTask]) -> float:
    """Return the rate from the first start to the last end."""
    first, last = min(task.started for task in tasks), max(task.finished for task in tasks)
    return len(tasks) / (last - first)


def _named(what: str, task_ids: Collection[str]) -> list[str]:
    shown = ", ".join(sorted(task_ids)[:NAMED])
    return [f"{len(task_ids)} {what} ({shown}{', …' if len(task_ids) > NAMED else ''})"] if task_ids else []


def _seconds(moment: str | None) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else float("nan")
