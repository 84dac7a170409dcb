"""Which workers there are: each says so in Redis, for the API and its dashboard to read."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.cluster.service import WORKERS_KEY
from worker.fork_guard import ForkGuard

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 2.0
FORGET_AFTER_SECONDS = 300.0
STOP_TIMEOUT_SECONDS = 5


class Presence:
    """One thread that writes this worker's state into a hash; Redis away is no reason to stop."""

    def __init__(
        self, redis: Redis, worker: str, describe: Callable[[], Mapping[str, Any]], *, guard: ForkGuard
    ) -> None:
        self._redis = redis
        self._worker = worker
        self._describe = describe
        self._guard = guard
        self._reachable = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="presence", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and leave the list."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)
        try:
            self._redis.hdel(WORKERS_KEY, self._worker)
        except RedisError as error:
            log.info("worker stays listed until it is forgotten", error=str(error))

    def announce(self, now: float) -> None:
        """Write this worker's state and forget workers that have been silent for long."""
        try:
            self._redis.hset(WORKERS_KEY, self._worker, json.dumps({"heartbeat": now, **self._describe()}))
            silent = silent_workers(cast("dict[str, str]", self._redis.hgetall(WORKERS_KEY)), now)
            if silent:
                self._redis.hdel(WORKERS_KEY, *silent)
        except RedisError as error:
            if self._reachable:
                log.warning("presence not announced, going on trying", error=str(error))
            self._reachable = False
            return
        if not self._reachable:
            log.info("presence announced again")
        self._reachable = True

    def _keep(self) -> None:
        while True:
            with self._guard:
                self.announce(time.time())
            if self._stopping.wait(INTERVAL_SECONDS):
                return


def silent_workers(entries: Mapping[str, str], now: float) -> list[str]:
    """Return the names of the workers to forget; an unreadable entry is one."""
    return [name for name, entry in entries.items() if now - _heartbeat(entry) > FORGET_AFTER_SECONDS]


def heartbeat_ages(redis: Redis, now: float) -> dict[str, float]:
    """Return for how long each worker has been silent, but for those to be forgotten."""
    entries = cast("dict[str, str]", redis.hgetall(WORKERS_KEY))
    forgotten = silent_workers(entries, now)
    return {
        name: max(0.0, now - _heartbeat(entry)) for name, entry in entries.items() if name not in forgotten
    }


def _heartbeat(entry: str) -> float:
    try:
        return float(json.loads(entry)["heartbeat"])
    except (ValueError, KeyError, TypeError):
        return 0.0
