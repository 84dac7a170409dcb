"""Prometheus, which asks every process for its metrics."""

from pathlib import Path

from stack.credentials import write_private
from stack.daemons.rendering import render
from stack.packages import Daemons
from stack.ports import Ports

CONSOLE = Path(__file__).parent / "console"
JOBS = ("api", "worker", "relay", "agent", "flower", "haproxy", "prometheus")


def configuration(ports: Ports) -> str:
    exported = {name.removesuffix("-stats"): port for name, port in ports.items()}
    jobs = {
        job: {name: port for name, port in exported.items() if name == job or name.startswith(f"{job}-")}
        for job in JOBS
    }
    return render("prometheus.yml.j2", jobs=jobs)


def configure(state: Path, ports: Ports, daemons: Daemons) -> tuple[str, ...]:
    """Write prometheus.yml and return the command that uses it."""
    directory = state / "prometheus"
    file = directory / "prometheus.yml"
    write_private(file, configuration(ports))
    return (
        *daemons.argv["prometheus"],
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--storage.tsdb.retention.time=2d",
        "--storage.tsdb.retention.size=512MB",
        f"--web.console.templates={CONSOLE}",
        "--log.level=warn",
        f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
    )
