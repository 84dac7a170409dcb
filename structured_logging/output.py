"""Where lines go: our own straight away, those of libraries by way of the standard library's records."""

import logging
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, ProcessorReturnValue


class Output(logging.StreamHandler[TextIO]):
    """Writes whole lines, each at once; one that cannot be written is lost, and ends nobody's work."""

    def write(self, line: str) -> None:
        """Write a line that is made already."""
        self.acquire()
        try:
            self.stream.write(line + self.terminator)
            self.flush()
        except (OSError, RuntimeError, ValueError):  # no room, no reader, closed, or a signal came in between
            pass
        finally:
            self.release()


class LineLogger:
    """The end of structlog's chain; a record of the standard library would cost as much as all before it."""

    def __init__(self, output: Output, name: str = "root") -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = output.write


def lost_if_unshowable(processor: Processor) -> Processor:
    """Lose an event whose values cannot be shown, as the standard library does: it ends nobody's work."""

    def process(logger: Any, method: str, event: EventDict) -> ProcessorReturnValue:  # noqa: ANN401 - structlog's
        try:
            return processor(logger, method, event)
        except Exception as error:
            raise structlog.DropEvent from error

    return process
