"""A client of the Redis or MySQL that `make up` has started, logged in."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from stack.application import APP_USER, DATABASE
from stack.commands import running
from stack.credentials import Credentials, load_credentials
from stack.packages import Daemons
from stack.part import StackError
from stack.ports import Ports

STORES = ("redis", "mysql")


def client(directory: Path, daemons: Daemons, store: str, arguments: Sequence[str]) -> NoReturn:
    """Become the client, with what else it is to be told."""
    state = running(directory)
    if state is None:
        raise StackError("not running; start it with `make up`")
    credentials = load_credentials(directory / "secrets.json")
    argv, environment = login(store, state.ports, credentials, daemons)
    os.execve(argv[0], [*argv, *arguments], os.environ | environment)  # noqa: S606 - no shell is wanted


def login(
    store: str, ports: Ports, credentials: Credentials, daemons: Daemons
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return a command, and an environment with the password, which `ps` shows to nobody else."""
    if store == "redis":
        command = (*daemons.tool("redis-cli"), "-h", "127.0.0.1", "-p", str(ports["redis"]))
        return command, {"REDISCLI_AUTH": credentials.redis_password}
    place = ("--host=127.0.0.1", f"--port={ports['mysql-primary']}")
    command = (*daemons.tool("mysql"), *place, f"--user={APP_USER}", f"--database={DATABASE}")
    return command, {"MYSQL_PWD": credentials.app_password}
