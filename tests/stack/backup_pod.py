"""The steps of the chart's backups as its pods run them, on this machine and with the real programs."""

import gzip
import os
import shlex
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from stack.packages import find_daemons
from stack.supervisor import ROOT, Stack
from tests.stack.members import replicas

SCRIPTS = ROOT / "charts" / "conveyor" / "files" / "backup"
STEP_SECONDS = 120


class BackupPod:
    """Volumes below a directory, scripts that know it, and MySQL's programs on the PATH."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self.stack = stack
        self.backup = directory / "backup"
        self._directory = directory
        self._places = {
            "/etc/conveyor": directory / "scripts",
            "/backup": self.backup,
            "/work": directory / "work",
        }
        for place in (*self._places.values(), directory / "bin"):
            place.mkdir()
        for script in SCRIPTS.iterdir():
            (directory / "scripts" / script.name).write_text(self._placed(script.read_text(encoding="utf-8")))
        self._write_programs()

    def dump(self) -> Path:
        """Dump from a replica as an account that may learn the dump's place in the log."""
        self._script("dump.sh", GTIDS="COMMENTED", **self._copier(replicas(self.stack)[0]))
        return self.backup / (self._directory / "work" / "name").read_text().strip()

    def archive(self, member: str = "mysql-primary") -> "subprocess.CompletedProcess[str]":
        access = self._copier(member)
        names = {"HOST": "DB_HOST", "PORT": "DB_PORT", "USER": "DB_USER", "PASSWORD": "MYSQL_PWD"}
        tls = {"TLS_CA": self.stack.env_for("agent-0")["MYSQL_AGENT_TLS_CA"]}
        settings = {name: access[variable] for name, variable in names.items()}
        return self._python("mysql_archive", **settings, **tls)

    def plan(self, until: datetime) -> "subprocess.CompletedProcess[str]":
        plan = self._directory / "work" / "plan"
        return self._python("mysql_archive.plan", UNTIL=until.isoformat(), PLAN=str(plan))

    def go_back(self, until: datetime) -> str:
        """Return the dump of what was there at that time."""
        planned = self.plan(until)
        assert planned.returncode == 0, planned.stderr
        said = self._script("point-in-time.sh", DB_NAME=self.stack.env_for("migrate")["DB_NAME"]).stdout
        name = said.rpartition("wrote ")[2].strip()
        return gzip.decompress((self.backup / name).read_bytes()).decode()

    def _copier(self, member: str) -> dict[str, str]:
        env = self.stack.env_for("mysql-init-0")
        return {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.stack.ports[member]),
            "DB_USER": env["MYSQL_AGENT_RECOVERY_USER"],
            "MYSQL_PWD": env["MYSQL_AGENT_RECOVERY_PASSWORD"],
            "DB_NAME": env["DB_NAME"],
        }

    def _script(self, name: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run(
            ["sh", self._directory / "scripts" / name],
            env={"PATH": f"{self._directory / 'bin'}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    def _python(self, module: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        settings = {"BACKUPS": str(self.backup), **environment}
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=os.environ | {f"MYSQL_ARCHIVE_{name}": value for name, value in settings.items()},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )

    def _placed(self, text: str) -> str:
        for path, place in self._places.items():
            text = text.replace(path, str(place))
        return text

    def _write_programs(self) -> None:
        daemons = find_daemons(lambda _: None)
        *loader, mysqld = daemons.argv["mysqld"]
        clients = Path(mysqld).parents[1] / "bin"
        lines = {
            name: f'exec {shlex.join([*loader, str(clients / name)])} "$@"' for name in ("mysql", "mysqldump")
        }
        # the image's server finds its files by itself and is not started by root
        tree = daemons.tree or Path("/")
        own = f"--basedir={tree}/usr --lc-messages-dir={tree}/usr/share/mysql" if daemons.tree else ""
        own += " --user=root" if os.getuid() == 0 else ""
        lines["mysqld"] = f'first="$1"\nshift\nexec {shlex.join([*loader, mysqld])} "$first" {own} "$@"'
        for name, line in lines.items():
            program = self._directory / "bin" / name
            program.write_text(f"#!/bin/sh\n{line}\n")
            program.chmod(0o755)
