"""`python -m bench.generators.closed_loop`: each connection sends its next request at each answer.

With a rate it waits for the time at which the request is due, and an answer is as late as it is after that.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, dataclass, field
from http import HTTPStatus

from bench.generators.connection import Answer, Connection, request
from bench.generators.start_line import hand_over, wait_for_start

# After a connection is lost or refused; a loop without a pause would only add load.
PAUSE_SECONDS = 0.1


@dataclass
class Result:
    """Milliseconds are of right answers only; `wrong` counts the others by what they were."""

    accepted: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=dict)
    seconds: float = 0
    cpu_seconds: float = 0

    def add(self, answer: Answer, milliseconds: float) -> None:
        task_id = json.loads(answer.body).get("task_id") if answer.status == HTTPStatus.ACCEPTED else None
        if task_id:
            self.accepted.append(task_id)
            self.milliseconds.append(milliseconds)
        else:
            self.add_wrong(str(answer.status))

    def add_wrong(self, what: str) -> None:
        self.wrong[what] = self.wrong.get(what, 0) + 1


class ClosedLoop:
    """Ends after a time or a number of requests; whatever was sent by then is waited for."""

    def __init__(self, port: int, path: str, *, seconds: float, count: int, rate: float = 0) -> None:
        self._port = port
        self._request = request("POST", path)
        self._seconds = seconds
        self._left = count
        self._rate = rate
        self._begun = 0
        self._result = Result()

    async def run(self, connections: int) -> Result:
        opened = [await Connection.open(self._port) for _ in range(connections)]
        wait_for_start()
        started, cpu_started = time.perf_counter(), time.process_time()
        self._started, self._deadline = started, started + self._seconds
        await asyncio.gather(*(self._drive(connection) for connection in opened))
        self._result.seconds = time.perf_counter() - started
        self._result.cpu_seconds = time.process_time() - cpu_started
        return self._result

    async def _drive(self, connection: Connection) -> None:
        while self._left > 0 and (sent := await self._next_moment()) < self._deadline:
            self._left -= 1
            try:
                answer = await connection.exchange(self._request)
            except (OSError, EOFError, TimeoutError) as error:
                self._result.add_wrong(type(error).__name__)
                connection.close()
                await asyncio.sleep(PAUSE_SECONDS)
                connection = await Connection.open(self._port)
            else:
                self._result.add(answer, (time.perf_counter() - sent) * 1000)
        connection.close()

    async def _next_moment(self) -> float:
        """Return when the next request is due, once it is."""
        if not self._rate:
            return time.perf_counter()
        due = self._started + self._begun / self._rate
        self._begun += 1
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return due


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=0, help="requests per second; 0: at each answer")
    options = parser.parse_args()
    limits = {"seconds": options.seconds, "count": options.count, "rate": options.rate}
    loop = ClosedLoop(options.port, options.path, **limits)
    hand_over(asdict(asyncio.run(loop.run(options.connections))))


if __name__ == "__main__":
    main()
