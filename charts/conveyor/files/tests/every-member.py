"""Every MySQL member has the same data, one takes writes, and the application cannot change tables."""

import os
import time

import pymysql
from front import check, create_user

CATCH_UP_SECONDS = 10


def connect(host: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    name, _, port = host.partition(":")
    return pymysql.connect(
        host=name,
        port=int(port or 3306),
        user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
        ssl={"ca": ca} if (ca := os.environ.get("DB_TLS_CA")) else None,
        database=os.environ["DB_NAME"],
        connect_timeout=5,
        read_timeout=10,
        autocommit=True,
    )


def scalar(host: str, statement: str) -> object:
    with connect(host) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None


def refused(host: str, statement: str) -> bool:
    try:
        scalar(host, statement)
    except pymysql.MySQLError:
        return True
    return False


def arrives(host: str, user_id: int) -> bool:
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while not scalar(host, f"SELECT COUNT(*) FROM users WHERE id = {user_id:d}"):  # noqa: S608 - a number
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


members = os.environ["MYSQL_MEMBERS"].split(",")
user_id, _ = create_user()
for member in members:
    check(arrives(member, user_id), f"{member} has what was just written")
    check(refused(member, "CREATE TABLE intruder (id INT PRIMARY KEY)"), f"{member} lets nobody make tables")
writable = [member for member in members if not scalar(member, "SELECT @@GLOBAL.super_read_only")]
check(len(writable) == 1, f"exactly one member takes writes: {writable}")
primary = os.environ["DB_MASTER_HOST"]
check(not scalar(primary, "SELECT @@GLOBAL.super_read_only"), f"{primary} leads to it")
if replicas := os.environ.get("DB_SLAVE1_HOST"):
    check(scalar(replicas, "SELECT @@GLOBAL.super_read_only"), f"{replicas} leads to the others")
