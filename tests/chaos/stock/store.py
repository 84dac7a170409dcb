"""The stock system's rows: tables like Conveyor's, without the keys that refuse a second one."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pymysql

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

PRODUCTS, LOGS = "stock_products", "stock_requests"
CREATE_TABLES = (
    f"CREATE TABLE {PRODUCTS} LIKE products",
    f"ALTER TABLE {PRODUCTS} DROP INDEX uq_products_task_id, ADD INDEX (task_id)",
    f"CREATE TABLE {LOGS} LIKE requests",
    f"ALTER TABLE {LOGS} DROP INDEX uq_requests_task_id, ADD INDEX (task_id)",
)
INSERT_PRODUCT = (
    f"INSERT INTO {PRODUCTS} (user_id, task_id, name, description, price, quantity, category)"  # noqa: S608 - a name of our own
    " VALUES (%s, %s, 'Product', 'Made by the stock system', 10, 1, 'Books')"
)
INSERT_LOG = (
    f"INSERT INTO {LOGS} (server_id, task_id, method, path, status_code, duration_ms, request_id)"  # noqa: S608 - a name of our own
    " VALUES ('celery-worker', %s, 'TASK', 'create_product', 200, 0, %s)"
)


def connect(environment: Mapping[str, str] = os.environ) -> "pymysql.Connection[Cursor]":
    host, _, port = environment["DB_MASTER_HOST"].partition(":")
    seconds = int(float(environment["DB_READ_TIMEOUT_SECONDS"]))
    return pymysql.connect(
        host=host,
        port=int(port),
        user=environment["DB_USER"],
        password=environment["DB_PASSWORD"],
        database=environment["DB_NAME"],
        connect_timeout=2,
        read_timeout=seconds,
        write_timeout=seconds,
        init_command="SET time_zone = '+00:00'",
    )


def run_in_transaction(do: Callable[["Cursor"], None]) -> None:
    connection = connect()
    try:
        with connection.cursor() as cursor:
            do(cursor)
        connection.commit()
    finally:
        connection.close()


def insert_product(cursor: "Cursor", task_id: str, user_id: int, request_id: str) -> None:
    cursor.execute(INSERT_PRODUCT, (user_id, task_id))
    cursor.execute(INSERT_LOG, (task_id, request_id))
