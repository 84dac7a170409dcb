"""A client of the database that never rests, and remembers what was acknowledged."""

import threading
import time

import pymysql

from tests.stack.mysql_group import Group


class Writer(threading.Thread):
    """Inserts rows through the load balancer's primary port and remembers which were acknowledged."""

    def __init__(self, group: Group) -> None:
        super().__init__(name="mysql-writer")
        self._group = group
        self._stopping = threading.Event()
        self.acknowledged: list[int] = []
        self.failures: list[pymysql.MySQLError] = []
        self._next = 0

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._group.session("mysql-primary") as cursor:
                    self._insert_until_it_fails(cursor)
            except pymysql.MySQLError as error:
                self.failures.append(error)
                time.sleep(0.05)

    def _insert_until_it_fails(self, cursor: "pymysql.cursors.Cursor") -> None:
        statement = f"INSERT INTO {self._group.table()} VALUES (%s)"  # noqa: S608 - a name of our own
        while not self._stopping.wait(0.01):
            self._next += 1  # never again: a lost connection leaves open whether it was committed
            cursor.execute(statement, (self._next,))
            self.acknowledged.append(self._next)

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)
