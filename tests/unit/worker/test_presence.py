"""How a worker says in Redis that it is there."""

import json
from typing import TYPE_CHECKING, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from app.cluster.service import read_worker
from worker.fork_guard import ForkGuard
from worker.presence import FORGET_AFTER_SECONDS, Presence, heartbeat_ages, silent_workers

if TYPE_CHECKING:
    from redis import Redis


class StandInRedis:
    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.is_down = False

    def _answer(self) -> None:
        if self.is_down:
            raise RedisConnectionError("refused")

    def hset(self, _key: str, name: str, value: str) -> None:
        self._answer()
        self.entries[name] = value

    def hgetall(self, _key: str) -> dict[str, str]:
        return dict(self.entries)

    def hdel(self, _key: str, *names: str) -> None:
        self._answer()
        for name in names:
            self.entries.pop(name, None)


def make_presence(redis: StandInRedis) -> Presence:
    said = {"pid": 7, "concurrency": 2, "queues": ["default"], "running": []}
    return Presence(cast("Redis", redis), "worker-1", lambda: said, guard=ForkGuard())


def test_the_api_reads_what_a_worker_announces() -> None:
    redis = StandInRedis()

    make_presence(redis).announce(now=1000)

    worker = read_worker("worker-1", redis.entries["worker-1"], now=1001)
    assert (worker.alive, worker.heartbeat_age_seconds, worker.concurrency) == (True, 1, 2)


def test_workers_that_have_been_silent_for_long_are_forgotten() -> None:
    redis = StandInRedis()
    redis.entries = {"gone": json.dumps({"heartbeat": 1000 - FORGET_AFTER_SECONDS - 1}), "odd": "?"}

    make_presence(redis).announce(now=1000)

    assert list(redis.entries) == ["worker-1"]


def test_a_worker_silent_for_a_short_time_is_kept() -> None:
    assert silent_workers({"late": json.dumps({"heartbeat": 900})}, now=1000) == []


def test_the_relay_reads_who_has_been_silent_for_how_long_and_forgets_whoever_is_gone() -> None:
    redis = StandInRedis()
    redis.entries = {
        "quick": json.dumps({"heartbeat": 1000.5}),
        "late": json.dumps({"heartbeat": 960}),
        "gone": json.dumps({"heartbeat": 1000 - FORGET_AFTER_SECONDS - 1}),
        "odd": "?",
    }

    assert heartbeat_ages(cast("Redis", redis), now=1000) == {"quick": 0, "late": 40}


def test_redis_away_is_logged_once_and_again_when_it_is_back() -> None:
    redis = StandInRedis()
    presence = make_presence(redis)

    with capture_logs() as logs:
        redis.is_down = True
        presence.announce(now=1)
        presence.announce(now=2)
        redis.is_down = False
        presence.announce(now=3)

    assert [entry["event"] for entry in logs] == [
        "presence not announced, going on trying",
        "presence announced again",
    ]


def test_a_worker_that_ends_leaves_the_list() -> None:
    redis = StandInRedis()
    presence = make_presence(redis)
    presence.start()

    presence.stop()

    assert redis.entries == {}


def test_a_worker_can_end_without_redis() -> None:
    redis = StandInRedis()
    redis.is_down = True

    with capture_logs() as logs:
        make_presence(redis).stop()

    assert [entry["event"] for entry in logs] == ["worker stays listed until it is forgotten"]
