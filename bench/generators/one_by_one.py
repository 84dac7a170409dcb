"""`python -m bench.generators.one_by_one`: send a task, follow it to its end, rest, send the next one."""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, dataclass
from http import HTTPStatus

from bench.generators.connection import Connection, request
from bench.generators.start_line import hand_over, wait_for_start

POLL_SECONDS = 0.002
PAUSE_SECONDS = 0.02
LIMIT_SECONDS = 30


@dataclass(frozen=True)
class Followed:
    """When the client did what, on the clock that the ledger's times are on as well."""

    task_id: str
    sent: float
    answered: float
    seen: float


async def follow(connection: Connection, post: bytes) -> Followed:
    sent = time.time()
    answer = await connection.exchange(post)
    answered = time.time()
    if answer.status != HTTPStatus.ACCEPTED:
        raise SystemExit(f"instead of 202: {answer.status} {answer.body.decode(errors='replace')}")
    task_id = str(json.loads(answer.body)["task_id"])
    look = request("GET", f"/api/tasks/{task_id}")
    status = ""
    while status != "succeeded":
        await asyncio.sleep(POLL_SECONDS)
        status = str(json.loads((await connection.exchange(look)).body).get("status"))
        if status in {"failed", "cancelled"} or time.time() - sent > LIMIT_SECONDS:
            raise SystemExit(f"task {task_id} is {status} after {time.time() - sent:.1f} s")
    return Followed(task_id, sent, answered, time.time())


async def run(port: int, path: str, count: int) -> dict[str, object]:
    connection = await Connection.open(port)
    post = request("POST", path)
    wait_for_start()
    started, cpu_started = time.perf_counter(), time.process_time()
    followed = []
    for _ in range(count):
        followed.append(asdict(await follow(connection, post)))
        await asyncio.sleep(PAUSE_SECONDS)
    connection.close()
    return {
        "followed": followed,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    hand_over(asyncio.run(run(options.port, options.path, options.count)))


if __name__ == "__main__":
    main()
