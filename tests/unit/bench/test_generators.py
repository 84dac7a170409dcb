import json
from dataclasses import asdict

import pytest

from bench.generators.closed_loop import Result
from bench.generators.connection import Answer, length_of, request, status_of

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
