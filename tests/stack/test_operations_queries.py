"""Every question in docs/operations.md is understood by the server that it is for."""

import re

import pymysql
import pytest
from redis import Redis

from stack.supervisor import ROOT, Stack

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def code(language: str, after: str) -> str:
    """Return the code of one language below a heading."""
    section = TEXT.partition(f"## {after}")[2].partition("\n## ")[0]
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL))


def without_comments(text: str, sign: str) -> str:
    return re.sub(rf"{sign}.*", "", text)


STATEMENTS = [
    " ".join(part.split())
    for part in without_comments(code("sql", "Questions to MySQL"), "--").split(";")
    if part.strip()
]
COMMANDS = [
    line.split()
    for line in without_comments(code("console", "Questions to Redis"), "#").splitlines()
    if line.strip()
]


def test_there_are_questions() -> None:
    assert len(STATEMENTS) > 8
    assert ["LLEN", "default"] in COMMANDS


@pytest.mark.parametrize("statement", STATEMENTS)
def test_mysql_answers_the_applications_account(stack: Stack, statement: str) -> None:
    env = stack.env_for("api-1")
    connection = pymysql.connect(
        host="127.0.0.1",
        port=stack.ports["mysql-primary"],
        user=env["DB_USER"],
        password=env["DB_PASSWORD"],
        database=env["DB_NAME"],
        connect_timeout=3,
        read_timeout=10,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount >= 0
        connection.rollback()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_redis_answers(stack: Stack, command: list[str]) -> None:
    with Redis(
        port=stack.ports["redis"], password=stack.env_for("api-1")["REDIS_PASSWORD"], socket_timeout=5
    ) as client:
        client.execute_command(*command)
