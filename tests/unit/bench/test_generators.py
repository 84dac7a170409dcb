import asyncio
import json
from dataclasses import asdict

import pytest

from bench.generators import closed_loop
from bench.generators.closed_loop import ClosedLoop, Result
from bench.generators.connection import Answer, Connection, length_of, request, status_of

HEAD = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\nContent-Length: 17\r\n\r\n"


def test_a_request_is_bytes_that_end_with_an_empty_line() -> None:
    sent = request("POST", "/api/users/1/create-product")
    assert sent.startswith(b"POST /api/users/1/create-product HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n")


def test_status_and_length_are_read_from_the_head_of_an_answer() -> None:
    assert (status_of(HEAD), length_of(HEAD)) == (202, 17)


def test_an_answer_of_unknown_length_is_refused() -> None:
    with pytest.raises(ValueError, match="without Content-Length"):
        length_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_wrong_answers_survive_the_way_to_the_process_that_asked() -> None:
    result = Result()
    result.add(Answer(503, b""), 1.0)
    result.add(Answer(503, b""), 1.0)
    result.add_wrong("TimeoutError")
    assert json.loads(json.dumps(asdict(result)))["wrong"] == {"503": 2, "TimeoutError": 1}


def test_only_an_answer_with_status_202_and_a_task_counts_as_accepted() -> None:
    result = Result()
    result.add(Answer(202, b'{"task_id": "a"}'), 5.0)
    result.add(Answer(202, b"{}"), 6.0)
    result.add(Answer(503, b"<html>"), 7.0)
    assert (result.accepted, result.milliseconds) == (["a"], [5.0])
    assert result.wrong == {"202": 1, "503": 1}


class Answering(Connection):
    """A stand-in that accepts everything at once."""

    def __init__(self) -> None:
        """Open nothing."""

    @classmethod
    async def open(cls, port: int) -> "Answering":
        del port
        return cls()

    async def exchange(self, request: bytes) -> Answer:
        del request
        return Answer(202, b'{"task_id": "a"}')

    def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize("connections", [1, 4])
def test_with_a_rate_as_many_requests_are_sent_as_are_due(
    monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    monkeypatch.setattr(closed_loop, "Connection", Answering)
    monkeypatch.setattr(closed_loop, "wait_for_start", lambda: None)
    loop = ClosedLoop(1, "/", seconds=0.1, count=1_000, rate=95)
    assert len(asyncio.run(loop.run(connections)).accepted) == 10
