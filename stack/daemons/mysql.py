"""Three MySQL servers in one Group Replication group, each with its agent."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from stack.credentials import Credentials, write_private
from stack.daemons.rendering import render
from stack.packages import Daemons
from stack.place import LOOPBACK
from stack.ports import Ports

ORDINALS = (0, 1, 2)
HERE = (LOOPBACK,) * len(ORDINALS)
# as Kubernetes mounts a Secret of certificates
CA, CERTIFICATE, KEY = "ca.crt", "tls.crt", "tls.key"
CERTIFICATE_DAYS = 365  # renewed by each start in the last third


def configure(  # noqa: PLR0917 - one of a plan's parts each
    ordinal: int,
    state: Path,
    ports: Ports,
    credentials: Credentials,
    daemons: Daemons,
    hosts: Sequence[str] = HERE,
) -> Path:
    """Write my.cnf of one member and the directories it names."""
    directory = state / f"mysql-{ordinal}"
    (directory / "tmp").mkdir(parents=True, exist_ok=True)
    file = directory / "my.cnf"
    text = render(
        "my.cnf.j2",
        tree=daemons.tree,
        # mysqld refuses to run as root unless it is told to
        user="root" if os.getuid() == 0 else None,
        directory=directory,
        ordinal=ordinal,
        port=ports[f"mysql-{ordinal}"],
        admin_port=ports[f"mysql-{ordinal}-admin"],
        host=hosts[ordinal],
        seeds=",".join(f"{hosts[other]}:{ports[f'mysql-{other}']}" for other in ORDINALS),
        group_name=credentials.group_name,
        tls=tls_directory(state),
    )
    write_private(file, text)
    return file


def tls_directory(state: Path) -> Path:
    return state / "tls"


def certificates_environment(state: Path, hosts: Sequence[str] = HERE) -> dict[str, str]:
    return {
        "CERTIFICATES_DIRECTORY": str(tls_directory(state)),
        "CERTIFICATES_NAMES": ",".join(dict.fromkeys(("localhost", LOOPBACK, *hosts))),
        "CERTIFICATES_DAYS": str(CERTIFICATE_DAYS),
    }


def server_argv(defaults_file: Path, daemons: Daemons) -> tuple[str, ...]:
    return (*daemons.argv["mysqld"], f"--defaults-file={defaults_file}")


def agent_environment(
    ordinal: int, state: Path, ports: Ports, credentials: Credentials, hosts: Sequence[str] = HERE
) -> dict[str, str]:
    members = ",".join(f"mysql-{other}={hosts[other]}:{ports[f'mysql-{other}']}" for other in ORDINALS)
    return {
        "MYSQL_AGENT_NAME": f"mysql-{ordinal}",
        "MYSQL_AGENT_MEMBERS": members,
        "MYSQL_AGENT_ADMIN_ADDRESS": f"127.0.0.1:{ports[f'mysql-{ordinal}-admin']}",
        "MYSQL_AGENT_USER": "conveyor_agent",
        "MYSQL_AGENT_PASSWORD": credentials.agent_password,
        "MYSQL_AGENT_RECOVERY_USER": "gr_recovery",
        "MYSQL_AGENT_RECOVERY_PASSWORD": credentials.recovery_password,
        "MYSQL_AGENT_HTTP_HOST": hosts[ordinal],
        "MYSQL_AGENT_HTTP_PORT": str(ports[f"agent-{ordinal}"]),
        "MYSQL_AGENT_LOCK_FILE": str(state / "bootstrap.lock"),
        "MYSQL_AGENT_TLS_CA": str(tls_directory(state) / CA),
        "MYSQL_AGENT_TLS_CERTIFICATE": str(tls_directory(state) / CERTIFICATE),
    }


def initialize_environment(defaults_file: Path, daemons: Daemons) -> dict[str, str]:
    return {
        "MYSQL_INIT_DATADIR": str(defaults_file.parent / "data"),
        "MYSQL_INIT_DEFAULTS_FILE": str(defaults_file),
        "MYSQL_INIT_COMMAND": shlex.join(daemons.argv["mysqld"]),
    }
