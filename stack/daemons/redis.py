"""Redis as a queue that survives a restart: append-only file, nothing evicted."""

from pathlib import Path

from stack.credentials import Credentials, write_private
from stack.daemons.rendering import render
from stack.packages import Daemons
from stack.ports import Ports


def configure(state: Path, ports: Ports, credentials: Credentials, daemons: Daemons) -> tuple[str, ...]:
    """Write redis.conf and return the command that uses it."""
    directory = state / "redis"
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "redis.conf"
    values = {"port": ports["redis"], "password": credentials.redis_password, "directory": directory}
    write_private(file, render("redis.conf.j2", **values))
    return (*daemons.argv["redis-server"], str(file))
