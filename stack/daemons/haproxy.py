"""HAProxy in front of the API, Flower and the MySQL members, as the cluster's Services and Ingress are."""

from collections.abc import Sequence
from pathlib import Path

from stack.credentials import write_private
from stack.daemons import mysql
from stack.daemons.rendering import render
from stack.packages import Daemons
from stack.ports import Ports


def configuration(ports: Ports, hosts: Sequence[str] = mysql.HERE) -> str:
    apis = [name for name in ports if name.startswith("api-")]
    return render("haproxy.cfg.j2", ports=ports, hosts=hosts, apis=apis)


def configure(state: Path, ports: Ports, daemons: Daemons, hosts: Sequence[str]) -> tuple[str, ...]:
    """Write haproxy.cfg and return the command that uses it."""
    file = state / "haproxy" / "haproxy.cfg"
    write_private(file, configuration(ports, hosts))
    return (*daemons.argv["haproxy"], "-db", "-f", str(file))
