"""Sets the log of a process up; every library follows."""

import logging
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal, TypeVar

import structlog
from pydantic_settings import BaseSettings
from structlog.typing import EventDict, Processor

from structured_logging.lines import ConsoleLine, DescribeExceptions, JsonLine
from structured_logging.output import LineLogger, Output, lost_if_unshowable
from structured_logging.redaction import Redaction, secrets_of
from structured_logging.streams import log_stderr, log_uncaught

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["auto", "json", "console"]
FORMATS: dict[str, LogFormat] = {"json": "json", "console": "console"}

# What they say below a warning is about each message, which the worker says with its ids, or themselves.
QUIET = (
    *("kombu", "amqp", "asyncio", "tornado.access", "alembic.runtime.plugins", "python_multipart", "urllib3"),
    "celery.worker.strategy",
)
# It quotes the texts of exceptions; the worker logs the same without them.
SILENT = ("celery.app.trace",)
LIBRARIES = ("uvicorn", "uvicorn.error", "uvicorn.access", "celery", "alembic", "tornado", "flower")


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def begin(process: str, load: Callable[[], SettingsT], **named: str) -> SettingsT:
    """Set up the log of this process and load its settings, whose faults are told in the log as well.

    `named` are fields of every line, each with the name of the setting that has its value.
    """
    early = FORMATS.get(os.environ.get("LOG_FORMAT", ""), "auto")
    configure_logging("INFO", early, process=process)
    log_uncaught()
    if not _is_for_people(early):
        log_stderr()
    settings = load()
    context = {field: str(getattr(settings, name)) for field, name in named.items()}
    configure_logging(
        getattr(settings, "log_level", "INFO"),
        getattr(settings, "log_format", early),
        secrets_of(settings),
        with_text=getattr(settings, "log_exception_text", False),
        process=process,
        **context,
    )
    structlog.configure(cache_logger_on_first_use=True)
    return settings


def configure_logging(
    level: LogLevel,
    log_format: LogFormat,
    secrets: Iterable[str] = (),
    *,
    with_text: bool = False,
    **context: str,
) -> None:
    """Send structlog's and the standard library's records to stdout in one format, each with `context`.

    `with_text` shows the texts of exceptions, which may quote payloads.
    """
    structlog.contextvars.clear_contextvars()
    shared = _shared_processors(context)
    redact = Redaction(secrets)
    line = ConsoleLine(redact) if _is_for_people(log_format) else JsonLine(redact)
    written: list[Processor] = [DescribeExceptions(with_text=with_text), line]
    output = Output(sys.stdout)
    structlog.configure(
        processors=[*shared, *map(lost_if_unshowable, written)],
        logger_factory=partial(LineLogger, output),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _cut_asyncio],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(level)
    _let_libraries_follow()


def _let_libraries_follow() -> None:
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # what cannot be written must not be written about
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _is_for_people(log_format: LogFormat) -> bool:
    return log_format == "console" or (log_format == "auto" and sys.stdout.isatty())


def _shared_processors(context: dict[str, str]) -> list[Processor]:
    def add_context(_logger: object, _method: str, event: EventDict) -> EventDict:
        return {**context, **event}

    return [
        structlog.contextvars.merge_contextvars,
        add_context,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _cut_asyncio(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Leave out the objects that asyncio adds to its message, exceptions with their texts among them."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event
