"""The application's database and account, made by the administrator's account."""

from sqlalchemy import Connection, text

from app.settings import Settings

# Members ask for it before they join: MySQL can wait for ever if both happen at once. The name is theirs too.
LOCK_NAME = "conveyor_accounts"

# What the API shows of the group's members; both tables hold no user data.
READABLE_SYSTEM_TABLES = ("replication_group_members", "replication_group_member_stats")


def ensure_account(connection: Connection, settings: Settings) -> None:
    """Create the database and the account if they are missing; set its password and rights.

    The account can change rows and nothing else: the schema belongs to the administrator.
    """
    user = {"user": settings.db_user}
    password = {**user, "password": settings.db_password.get_secret_value()}
    connection.execute(text(f"CREATE DATABASE IF NOT EXISTS `{settings.db_name}` CHARACTER SET utf8mb4"))
    connection.execute(text("CREATE USER IF NOT EXISTS :user@'%' IDENTIFIED BY :password"), password)
    connection.execute(text("ALTER USER :user@'%' IDENTIFIED BY :password"), password)
    for rights in _rights(settings):
        connection.execute(text(f"GRANT {rights} TO :user@'%'"), user)


def has_all_rights(connection: Connection, settings: Settings) -> bool:
    """Tell whether the account that this connection is of needs nothing more."""
    granted = [str(line) for line in connection.scalars(text("SHOW GRANTS"))]
    return all(any(f"GRANT {rights} TO" in line for line in granted) for rights in _rights(settings))


def _rights(settings: Settings) -> list[str]:
    # A bare underscore in GRANT matches any character, other databases' names included.
    exact_name = settings.db_name.replace("_", r"\_")
    readable = [f"SELECT ON `performance_schema`.`{table}`" for table in READABLE_SYSTEM_TABLES]
    return [f"SELECT, INSERT, UPDATE, DELETE ON `{exact_name}`.*", *readable]
