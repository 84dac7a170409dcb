"""The SQL that creates a member's accounts, from the template and the settings."""

from importlib.resources import files
from string import Template

from mysql_agent.settings import InitializeSettings


def account_statements(settings: InitializeSettings) -> str:
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
