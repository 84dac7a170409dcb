"""Configurations of daemons are compared option by option, but for addresses and paths."""

import re
from collections.abc import Collection
from pathlib import Path

from stack.daemons.rendering import render

# differs by nature: where things are, and what a command line says
MY_CNF_PLACES = {
    *("datadir", "tmpdir", "basedir", "plugin_dir", "lc_messages_dir", "user", "port", "admin_port"),
    *("bind_address", "admin_address", "server_id", "report_host", "report_port"),
    *("loose_group_replication_group_name", "loose_group_replication_local_address"),
    "loose_group_replication_group_seeds",
}


def options(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    pairs = [re.split(r"[= ]", line, maxsplit=1) for line in lines]
    return {f"{key} {value}" if key == "plugin_load_add" else key: value for key, value in pairs}


def without(found: dict[str, str], left_out: Collection[str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if key not in left_out}


def my_cnf_of_the_stack(tls: Path | None = None) -> dict[str, str]:
    rendered = render(
        "my.cnf.j2",
        tree=None,
        user=None,
        directory=Path("/"),
        ordinal=0,
        host="127.0.0.1",
        port=3306,
        admin_port=33062,
        seeds="",
        group_name="",
        tls=tls,
    )
    return options(rendered)
