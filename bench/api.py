"""Conveyor's API as the benchmark asks it, outside of the measured requests."""

import http.client
import json
from http import HTTPStatus
from typing import Any

from bench.failure import BenchError

TIMEOUT_SECONDS = 30


class Api:
    """Every request has a connection of its own: the API may close an idle one at any time."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host = host
        self._port = port

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return self._ask("GET", path, None, HTTPStatus.OK)

    def post(self, path: str, body: object, expected: HTTPStatus) -> Any:  # noqa: ANN401 - JSON
        return self._ask("POST", path, json.dumps(body), expected)

    def _ask(self, method: str, path: str, body: str | None, expected: HTTPStatus) -> Any:  # noqa: ANN401 - JSON
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise BenchError(f"{method} {path} was not answered: {error!r}") from error
        finally:
            connection.close()
        if answer.status != expected:
            raise BenchError(f"{method} {path} answered {answer.status}: {content.decode(errors='replace')}")
        return json.loads(content)
