"""`python -m mysql_agent.initialize`: make the data directory of one member, once."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import structlog

from mysql_agent.accounts import account_statements, write_private
from mysql_agent.datadir import Condition, DataDirectory, beside
from mysql_agent.settings import InitializeSettings, load
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)


class InitializationError(Exception):
    pass


def initialize(settings: InitializeSettings) -> bool:
    """Make the data directory unless it was complete before; the answer says whether it was made."""
    directory = DataDirectory(settings.datadir)
    with directory.exclusive(settings.timeout_seconds) as lock:
        condition = directory.condition()
        if condition is Condition.FOREIGN:
            raise InitializationError(
                f"{settings.datadir} holds files that were not made here and is left as it is: set "
                "MYSQL_INIT_DATADIR to an empty directory, or load the data into a running group"
            )
        if condition is Condition.COMPLETE:
            return False
        if condition is Condition.HALF_MADE:
            log.warning("clearing a data directory that a killed run left half-made")
            directory.clear()
        directory.begin()
        _run_mysqld(settings, lock)
        directory.finish()
    return True


def _run_mysqld(settings: InitializeSettings, lock: int) -> None:
    init_file, error_log = (beside(settings.datadir, suffix) for suffix in ("accounts.sql", "initialize.err"))
    write_private(init_file, account_statements(settings))
    try:
        # The server inherits the lock: should this process be killed, the next run waits for its end.
        code = subprocess.run(  # noqa: S603 - the operator's own MYSQL_INIT_COMMAND
            command_line(settings, init_file, error_log),
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            timeout=settings.timeout_seconds,
            check=False,
        ).returncode
        if code:
            raise InitializationError(
                f"mysqld --initialize ended with {code}: {_complaints(error_log, settings)}"
            )
    except FileNotFoundError as error:
        raise InitializationError(f"{error}: set MYSQL_INIT_COMMAND to the mysqld program") from error
    except subprocess.TimeoutExpired as error:
        raise InitializationError(
            f"mysqld --initialize was not done after {settings.timeout_seconds:g} s: "
            "raise MYSQL_INIT_TIMEOUT_SECONDS if the disk is that slow"
        ) from error
    finally:
        init_file.unlink()
        error_log.unlink(missing_ok=True)


def command_line(settings: InitializeSettings, init_file: Path, error_log: Path) -> list[str]:
    return [
        *shlex.split(settings.command),
        f"--defaults-file={settings.defaults_file}",  # mysqld accepts it as its first option only
        "--initialize-insecure",  # root has no password for an instant, and is locked by the init file
        "--skip-log-bin",  # what the init file does must not become a transaction
        f"--datadir={settings.datadir}",
        f"--init-file={init_file}",
        f"--log-error={error_log}",
    ]


def _complaints(error_log: Path, settings: InitializeSettings) -> str:
    if not error_log.exists():
        return "it wrote no log; its own words are above"
    lines = error_log.read_text(encoding="utf-8", errors="replace").splitlines()
    text = "\n".join([line for line in lines if "[ERROR]" in line] or lines[-5:])
    for secret in settings.secrets:
        text = text.replace(secret, "***")
    return text


def main() -> int:
    settings = begin("mysql_agent.initialize", lambda: load(InitializeSettings))
    # An exception instead of the default: it ends mysqld and removes the init file on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        made = initialize(settings)
    except InitializationError as error:
        log.error(str(error), datadir=str(settings.datadir))  # noqa: TRY400 - the message is the whole story
        return 1
    log.info("initialised" if made else "already initialised", datadir=str(settings.datadir))
    return 0


if __name__ == "__main__":
    sys.exit(main())
