"""Where people find the parts of a running stack."""

from pathlib import Path

from stack.application import APP_USER, DATABASE, FLOWER_USER
from stack.ports import Ports
from stack.terminal import table


def address_table(directory: Path, ports: Ports) -> str:
    secrets = _short(directory / "secrets.json")
    front = f"http://localhost:{ports['http']}"

    def mysql(role: str) -> str:
        return f"mysql://{APP_USER}@127.0.0.1:{ports[f'mysql-{role}']}/{DATABASE}"

    return table(
        [
            ("", "ADDRESS", "LOG IN"),
            ("Dashboard", f"{front}/", ""),
            ("API docs", f"{front}/docs", ""),
            ("Flower", f"{front}/flower/", f"{FLOWER_USER}, flower_password in {secrets}"),
            ("Prometheus", f"http://localhost:{ports['prometheus']}/consoles/conveyor.html", ""),
            ("HAProxy", f"http://localhost:{ports['haproxy-stats']}/", ""),
            ("MySQL primary", mysql("primary"), f"app_password in {secrets}"),
            ("MySQL replicas", mysql("replicas"), f"app_password in {secrets}"),
            ("Redis", f"redis://127.0.0.1:{ports['redis']}/0", f"redis_password in {secrets}"),
        ]
    )


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
