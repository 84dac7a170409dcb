"""Prometheus, which asks every process for its metrics, and alerts by the rules of the chart."""

import shutil
from pathlib import Path

from stack.credentials import write_private
from stack.daemons.rendering import render
from stack.packages import Daemons
from stack.ports import Ports

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "charts" / "conveyor" / "files" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
CONSOLES = Path(__file__).parent / "consoles"
JOBS = ("api", "worker", "relay", "agent", "flower", "haproxy", "prometheus")


def configuration(ports: Ports) -> str:
    exported = {name.removesuffix("-stats"): port for name, port in ports.items()}
    jobs = {
        job: {name: port for name, port in exported.items() if name == job or name.startswith(f"{job}-")}
        for job in JOBS
    }
    return render("prometheus.yml.j2", jobs=jobs)


def rules(ports: Ports) -> dict[str, str]:
    """Return the rules by file name; their links lead to the runbooks that this Prometheus serves itself."""
    served = f"http://localhost:{ports['prometheus']}/consoles/runbooks"
    return {
        path.name: path.read_text(encoding="utf-8").replace("docs/runbooks", served)
        for path in sorted(RULES.glob("*.yaml"))
    }


def configure(state: Path, ports: Ports, daemons: Daemons) -> tuple[str, ...]:
    """Write prometheus.yml, rules and pages, and return the command that uses them."""
    directory = state / "prometheus"
    file = directory / "prometheus.yml"
    for folder in ("rules", "consoles"):
        shutil.rmtree(directory / folder, ignore_errors=True)
    write_private(file, configuration(ports))
    for name, text in rules(ports).items():
        write_private(directory / "rules" / name, text)
    shutil.copytree(CONSOLES, directory / "consoles")
    shutil.copytree(RUNBOOKS, directory / "consoles" / "runbooks")
    return (
        *daemons.argv["prometheus"],
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--storage.tsdb.retention.time=4d",
        "--storage.tsdb.retention.size=512MB",
        f"--web.console.templates={directory / 'consoles'}",
        "--log.level=warn",
        f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
    )
