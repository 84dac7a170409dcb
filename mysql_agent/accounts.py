"""`python -m mysql_agent.accounts`: write the SQL of a new member's accounts, for `mysqld --init-file`."""

import os
from importlib.resources import files
from pathlib import Path
from string import Template

import structlog

from mysql_agent.settings import AccountSettings, AccountsFileSettings, load
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)


def account_statements(settings: AccountSettings) -> str:
    template = Template(files("mysql_agent").joinpath("accounts.sql").read_text(encoding="utf-8"))
    return template.substitute(
        MYSQL_AGENT_USER=literal(settings.agent_user),
        MYSQL_AGENT_PASSWORD=literal(settings.agent_password.get_secret_value()),
        MYSQL_AGENT_RECOVERY_USER=literal(settings.recovery_user),
        MYSQL_AGENT_RECOVERY_PASSWORD=literal(settings.recovery_password.get_secret_value()),
        DB_ADMIN_USER=literal(settings.admin_user),
        DB_ADMIN_PASSWORD=literal(settings.admin_password.get_secret_value()),
        # In GRANT an underscore stands for any character unless it is escaped.
        DB_NAME_PATTERN="`{}`".format(settings.database.replace("_", r"\_")),
    )


def literal(text: str) -> str:
    """Quote as MySQL reads it with its default sql_mode."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in place of whatever was there."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)


def main() -> None:
    settings = begin("mysql_agent.accounts", lambda: load(AccountsFileSettings))
    try:
        write_private(settings.file, account_statements(settings))
    except OSError as error:
        raise SystemExit(
            f"cannot write MYSQL_ACCOUNTS_FILE: {error}; give a path in a directory that this user may write"
        ) from None
    log.info("accounts written", file=str(settings.file))


if __name__ == "__main__":
    main()
