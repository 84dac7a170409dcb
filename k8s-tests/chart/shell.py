"""Runs a script of a pod with stand-ins for the programs of MySQL, which note how they were called."""

import os
import subprocess
from pathlib import Path

from chart.rendering import CHART

MYSQLDUMP = """#!/bin/sh
echo "$*" >>"$NOTES/calls"
if [ -e "$NOTES/loaded" ]; then cat "$NOTES/loaded"; else echo "INSERT INTO users VALUES (1);"; fi
[ -e "$NOTES/cut" ] || echo "-- Dump completed on today"
[ ! -e "$NOTES/fail" ]
"""
MYSQL = """#!/bin/sh
echo "$*" >>"$NOTES/calls"
case "$*" in
    *PROCESSLIST*)
        echo own connection
        [ ! -s "$NOTES/others" ] || { head -n 1 "$NOTES/others"; sed -i 1d "$NOTES/others"; }
        ;;
    *REPLACE*) [ ! -e "$NOTES/no-primary" ] || exit 1; echo "$*" >>"$NOTES/noted" ;;
    *table_name*) echo users ;;
    *COUNT*) echo 1 ;;
    *)
        cat >"$NOTES/loaded"
        [ ! -e "$NOTES/writer" ] || echo "INSERT INTO users VALUES (2);" >>"$NOTES/loaded"
        ;;
esac
"""
MYSQLD = """#!/bin/sh
echo "$*" >>"$NOTES/calls"
for argument in "$@"; do
    case "$argument" in
        --datadir=*) mkdir "${argument#*=}" ;;
        --init-file=*) cp "${argument#*=}" "$NOTES/accounts" ;;
    esac
done
[ ! -e "$NOTES/fail" ]
"""
# where the pods have their volumes
PLACES = {
    "/work": "work",
    "/run/conveyor-init": "init",
    "/run/conveyor": "handover",
    "/var/lib/mysql": "home",
    "/backup": "backup",
}


class Shell:
    """Runs a script of the chart with its volumes below a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in ("bin", "notes", *PLACES.values()):
            (directory / name).mkdir()
        for name, text in {"mysqldump": MYSQLDUMP, "mysql": MYSQL, "mysqld": MYSQLD}.items():
            (directory / "bin" / name).write_text(text)
            (directory / "bin" / name).chmod(0o755)

    def place(self, name: str) -> Path:
        return self.directory / name

    def note(self, name: str) -> str:
        return (self.directory / "notes" / name).read_text()

    def skip_sleep(self) -> None:
        (self.place("bin") / "sleep").write_text('#!/bin/sh\necho "$1" >>"$NOTES/slept"\n')
        (self.place("bin") / "sleep").chmod(0o755)

    def run(self, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        text = (CHART / "files" / script).read_text(encoding="utf-8")
        for path, name in PLACES.items():
            text = text.replace(path, str(self.place(name)))
        copy = self.directory / Path(script).name
        copy.write_text(text)
        env = {
            "PATH": f"{self.place('bin')}:{os.environ['PATH']}",
            "NOTES": str(self.place("notes")),
            "DB_HOST": "replicas",
            "DB_PORT": "3306",
            "DB_USER": "conveyor",
            "DB_NAME": "loadbalancer_db",
            "DB_PASSWORD": "secret",
            "PRIMARY_HOST": "primary",
            "PRIMARY_PORT": "3306",
            "APPLICATION_USER": "conveyor",
            **environment,
        }
        return subprocess.run(["sh", copy], env=env, capture_output=True, text=True, timeout=60, check=False)
