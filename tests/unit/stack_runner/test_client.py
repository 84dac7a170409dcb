"""The clients of the local stack, which people need not install nor log in."""

from pathlib import Path

import pytest

from stack.client import STORES, client, login
from stack.credentials import load_credentials
from stack.packages import Daemons, MissingDaemonError
from stack.part import StackError
from stack.ports import fixed_ports

UNPACKED = Daemons({"mysqld": ("/t/ld.so", "--library-path", "/t/lib", "/t/usr/sbin/mysqld")}, Path("/t"))


@pytest.mark.parametrize("store", STORES)
def test_a_password_is_passed_where_no_other_user_of_the_machine_sees_it(store: str, tmp_path: Path) -> None:
    credentials = load_credentials(tmp_path / "secrets.json")

    argv, environment = login(store, fixed_ports({}), credentials, UNPACKED)

    passwords = {credentials.app_password, credentials.redis_password}
    assert set(environment.values()) <= passwords
    assert not any(password in argument for password in passwords for argument in argv)


def test_a_client_of_the_unpacked_programs_is_started_as_they_are() -> None:
    assert UNPACKED.tool("redis-cli") == ("/t/ld.so", "--library-path", "/t/lib", "/t/usr/bin/redis-cli")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingDaemonError, match="no-such-client"):
        Daemons({}).tool("no-such-client")


def test_nothing_can_be_asked_that_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        client(tmp_path, UNPACKED, "redis", [])
