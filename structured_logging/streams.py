"""What a process would write to its output past the log becomes events of the log."""

import io
import logging
import sys
import threading
from types import TracebackType
from typing import TextIO

log = logging.getLogger("stderr")


class LoggedStream(io.TextIOBase):
    """Takes the place of stderr: what is written until the end of a line is one event."""

    def __init__(self, original: TextIO) -> None:
        self._original = original
        self._of_thread = threading.local()

    def write(self, text: str) -> int:
        """Keep the text, or log it when it ends a line."""
        if getattr(self._of_thread, "is_logging", False):
            return self._original.write(text)  # what the log itself complains of
        written = getattr(self._of_thread, "text", "") + text
        if not written.endswith("\n"):
            self._of_thread.text = written
            return len(text)
        self._of_thread.text = ""
        if written.strip():
            self._of_thread.is_logging = True
            try:
                log.error("%s", written.strip("\n"))
            finally:
                self._of_thread.is_logging = False
        return len(text)

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the original's, for those who write past Python."""
        return self._original.fileno()


def log_uncaught() -> None:
    """Log exceptions that nobody catches, in any thread, instead of writing tracebacks to stderr."""
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def log_stderr() -> None:
    """Log what is written to stderr, the last words of a process that ends with a message among it."""
    if not isinstance(sys.stderr, LoggedStream):
        sys.stderr = LoggedStream(sys.stderr)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger("uncaught").critical("uncaught exception", exc_info=(kind, error or kind(), trace))
