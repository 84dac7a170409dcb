"""Write the dashboards as JSON: `python -m grafana.generate`, which `make docs` does too."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.mysql import mysql
from grafana.overview import overview
from grafana.redis import redis
from grafana.tasks import tasks

FOLDER = Path(__file__).resolve().parent.parent / "charts" / "conveyor" / "files" / "dashboards"
BOARDS = {"overview": overview, "tasks": tasks, "mysql": mysql, "redis": redis}


def documents() -> dict[str, str]:
    """Return what each file has to contain; names do not collide in the folder of a Grafana of many."""
    encoder = JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False)
    return {f"conveyor-{name}.json": f"{encoder.encode(make().build())}\n" for name, make in BOARDS.items()}


def main() -> None:
    """Write the files, and remove those of dashboards that there are no more."""
    wanted = documents()
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
