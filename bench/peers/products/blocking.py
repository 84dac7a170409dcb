"""A product by PyMySQL: each thread keeps its connection from task to task."""

import threading

import pymysql
from draft import INSERT_PRODUCT, READ_USER, product
from settings import DATABASE, DATABASE_NAME, tls

_local = threading.local()


def create_product(user_id: int, task_id: str) -> None:
    """Commit one row."""
    connection = _connection()
    try:
        with connection.cursor() as cursor:
            cursor.execute(READ_USER, (user_id,))
            cursor.execute(INSERT_PRODUCT, product(user_id, *cursor.fetchone(), task_id))
        connection.commit()
    except BaseException:
        del _local.connection
        connection.close()
        raise


def _connection() -> pymysql.Connection:
    if not hasattr(_local, "connection"):
        _local.connection = pymysql.connect(
            **DATABASE, database=DATABASE_NAME, ssl=tls(), connect_timeout=5, read_timeout=10
        )
    return _local.connection
