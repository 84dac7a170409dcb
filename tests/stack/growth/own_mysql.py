"""A MySQL server that tests start for themselves, without a group, to fill as they like."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

import pymysql

from app.settings import Settings
from stack.packages import find_daemons
from tests.stack.worker.processes import free_port

START_SECONDS = 60
USER, PASSWORD = "trial", "trial"
SMALL, LARGE = "small", "large"
ACCOUNTS = f"""CREATE DATABASE {SMALL};
CREATE DATABASE {LARGE};
CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON *.* TO '{USER}'@'%';
"""


class OwnMysql:
    """Plans as the members of the group do; its commits are not synced, for nobody waits for them."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        daemons = find_daemons(lambda _: None)
        (folder / "accounts.sql").write_text(ACCOUNTS, encoding="utf-8")
        tree = daemons.tree
        places = [f"--basedir={tree}/usr", f"--lc-messages-dir={tree}/usr/share/mysql"] if tree else []
        self._argv = [
            *daemons.argv["mysqld"],
            "--no-defaults",
            *places,
            *(["--user=root"] if os.getuid() == 0 else []),
            f"--datadir={folder}/data",
            f"--tmpdir={folder}",
            "--socket=mysqld.sock",
            "--secure-file-priv=NULL",
            "--mysqlx=OFF",
            "--disable-log-bin",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--innodb-flush-log-at-trx-commit=0",
        ]

    def settings(self, database: str) -> Settings:
        return Settings.model_validate(
            {
                "db_master_host": f"127.0.0.1:{self.port}",
                "db_user": USER,
                "db_password": PASSWORD,
                "db_name": database,
            }
        )

    def __enter__(self) -> Self:
        with (self._folder / "mysqld.log").open("wb") as log:
            subprocess.run(
                [*self._argv, "--initialize-insecure"], stderr=log, timeout=START_SECONDS, check=True
            )
            self._process = subprocess.Popen(
                [*self._argv, f"--init-file={self._folder}/accounts.sql"], stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError((self._folder / "mysqld.log").read_text(encoding="utf-8"))
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def _answers(self) -> bool:
        try:
            pymysql.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD).close()
        except pymysql.OperationalError:
            return False
        return True
