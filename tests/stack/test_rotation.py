"""Accounts with two passwords for a while: MySQL's on every member, and Redis'."""

from pathlib import Path

import pymysql
import pytest
import redis

from app.credentials.rotation import servers
from app.credentials.rotation.servers import MysqlAccount, Passwords, Primary, RedisUser
from app.migrations.account import LOCK_NAME
from stack.supervisor import Stack
from tests.stack.mysql_group import ORDINALS, Group
from tests.stack.waiting import wait_until

ACCOUNTS = {"app": "DB", "admin": "DB_ADMIN", "agent": "MYSQL_AGENT", "recovery": "MYSQL_AGENT_RECOVERY"}
NEW = {key: f"another{key}" for key in (*ACCOUNTS, "redis")}


def accounts(stack: Stack) -> tuple[list[MysqlAccount], Passwords]:
    """Return the accounts as the chart's program changes them, and their passwords."""
    env = {**stack.env_for("mysql-init-0"), **stack.env_for("api-1")}
    primary = Primary("127.0.0.1", stack.ports["mysql-primary"], Path(env["DB_TLS_CA"]))
    users = {key: env[f"{prefix}_USER"] for key, prefix in ACCOUNTS.items()}
    admin = MysqlAccount(primary, users["admin"], "admin")
    changed = [
        MysqlAccount(primary, users["app"], "app", by=admin),
        admin,
        MysqlAccount(primary, users["agent"], "agent"),
        MysqlAccount(primary, users["recovery"], "recovery"),
    ]
    return changed, {key: env[f"{prefix}_PASSWORD"] for key, prefix in ACCOUNTS.items()}


def opens(group: Group, ordinal: int, user: str, password: str) -> bool:
    try:
        group.connect(group.server(ordinal), user, password).close()
    except pymysql.OperationalError as error:
        assert error.args[0] == 1045  # noqa: PT017 - anything else is no answer to the question
        return False
    return True


def wait_for(group: Group, account: MysqlAccount, password: str, *, taken: bool) -> None:
    for ordinal in ORDINALS:
        wait_until(
            lambda of=ordinal: opens(group, of, account.user, password) == taken,  # type: ignore[misc]
            f"mysql-{ordinal} {'takes' if taken else 'refuses'} a password of {account.user}",
        )


def test_a_password_is_not_changed_while_a_member_joins(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "TURN_SECONDS", 1)
    group = Group(stack)
    group.wait_complete()
    (application, *_), old = accounts(stack)
    with group.session("mysql-primary") as cursor:
        cursor.execute("SELECT GET_LOCK(%s, 5)", (LOCK_NAME,))
        assert cursor.fetchone() == (1,)
        with pytest.raises(TimeoutError, match="run again"):
            application.accept(old, NEW)
    assert not opens(group, group.primary(), application.user, NEW[application.key])


def test_every_account_keeps_its_old_password_until_that_is_discarded(stack: Stack) -> None:
    group = Group(stack)
    group.wait_complete()
    changed, old = accounts(stack)
    for first, second in ((old, NEW), (NEW, old)):  # and back, for the tests that follow
        for account in changed:
            account.accept(first, second)
            account.accept(first, second)  # a run that was killed is run again
            wait_for(group, account, first[account.key], taken=True)
            wait_for(group, account, second[account.key], taken=True)
        for account in changed:
            account.discard(second)
            account.discard(second)
            wait_for(group, account, first[account.key], taken=False)
            wait_for(group, account, second[account.key], taken=True)


def test_redis_takes_both_passwords_until_it_starts_anew(stack: Stack) -> None:
    old = {"redis": stack.env_for("api-1")["REDIS_PASSWORD"]}
    user = RedisUser("127.0.0.1", stack.ports["redis"], "redis")
    user.accept(old, NEW)
    user.accept(old, NEW)
    for password in (old["redis"], NEW["redis"]):
        assert redis.Redis(port=stack.ports["redis"], password=password, socket_timeout=5).ping()
    stack.restart("redis")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=stack.ports["redis"], password=NEW["redis"], socket_timeout=5).ping()
