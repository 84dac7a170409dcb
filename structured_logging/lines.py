"""How an event becomes one line: bounded, valid, and harmless to whoever looks at it in a terminal."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import structlog
from structlog.typing import EventDict

from structured_logging.exceptions import render, summary

# Docker and containerd cut lines at 16 KiB; the end of a traceback says more than its beginning.
MOST_CHARACTERS = 4000
KEPT_AT_THE_BEGINNING = 1000
MOST_BYTES = 15_000
LONGEST_CHARACTER = len("\\u0000")
# What JSON leaves as it is though it moves a terminal's cursor, or ends a line for some readers.
CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=repr)

Redact = Callable[[str], str]


class DescribeExceptions:
    """Writes exceptions out: `exc_info` with its traceback, any other value in a few words."""

    def __init__(self, *, with_text: bool) -> None:
        self._with_text = with_text

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Replace what is an exception."""
        for name, value in event.items():
            if isinstance(value, BaseException) and name != "exc_info":
                event[name] = summary(value, with_text=self._with_text)
        info = event.pop("exc_info", None)
        error = info[1] if isinstance(info, tuple) else info
        if error is True:
            error = sys.exc_info()[1]
        if isinstance(error, BaseException):
            event["exception"] = render(error, with_text=self._with_text)
        return event


class JsonLine:
    """Renders JSON that every parser reads."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    def __call__(self, _logger: object, _method: str, event: EventDict) -> str:
        """Render the event."""
        bounded = {name: _bounded(value) for name, value in event.items()}
        try:
            line = _dump(bounded)
        except (TypeError, ValueError):  # keys that are no texts; not a number, or a circle
            line = _dump({name: _bounded(_plain(value)) for name, value in event.items()})
        if len(line.encode()) > MOST_BYTES:
            each = MOST_BYTES // LONGEST_CHARACTER // len(event)
            line = _dump({name: _bounded(_plain(value), each) for name, value in event.items()})
        return self._redact(line)


class ConsoleLine:
    """Renders for people, in colours."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        # The default formatter prints local variables, and with them passwords.
        self._render = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)

    def __call__(self, logger: Any, method: str, event: EventDict) -> str:  # noqa: ANN401 - structlog's
        """Render the event."""
        shown = {name: _printable(value) for name, value in event.items()}
        return self._redact(self._render(logger, method, shown))


def _dump(event: dict[str, Any]) -> str:
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", ENCODER.encode(event))


def _plain(value: object) -> object:
    return value if isinstance(value, str | int) or value is None else repr(value)


def _bounded(value: object, most: int = MOST_CHARACTERS) -> object:
    if not isinstance(value, str) or len(value) <= most:
        return value
    begin = most * KEPT_AT_THE_BEGINNING // MOST_CHARACTERS
    return f"{value[:begin]} … {len(value) - most} characters are left out … {value[begin - most :]}"


def _printable(value: object) -> object:
    if not isinstance(value, str):
        return value
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), value)
