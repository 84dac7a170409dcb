"""`python -m mysql_archive.plan`: find the way to a second, and write it down for the script that goes it."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from mysql_agent.gtids import GtidSet
from mysql_archive.choice import Dump, NoWayError, Way, find_way
from mysql_archive.events import EventError
from mysql_archive.folder import FOLDER, Archive
from mysql_archive.settings import PlanSettings, load

NAME = re.compile(r"conveyor-(\d{8}T\d{6}Z)\.sql\.gz")
STAMP = "%Y%m%dT%H%M%SZ"
HEAD_BYTES = 1_000_000
# as --set-gtid-purged=COMMENTED writes it
POSITION = re.compile(rb"/\* SET @@GLOBAL\.GTID_PURGED='\+?([^']*)';\*/")


def dumps(folder: Path) -> Iterator[Dump]:
    """Find the dumps that tell which transactions are in them."""
    for path in folder.iterdir():
        if (name := NAME.fullmatch(path.name)) and (position := position_of(path)):
            begun = datetime.strptime(name[1], STAMP).replace(tzinfo=UTC)
            yield Dump(path.name, begun, position)


def position_of(path: Path) -> GtidSet | None:
    """Read the transactions of a dump from its beginning."""
    try:
        with gzip.open(path) as file:
            found = POSITION.search(file.read(HEAD_BYTES))
    except (OSError, EOFError):
        return None
    return GtidSet.parse(found[1].decode("ascii")) if found else None


def written(way: Way, until: datetime) -> str:
    """Return the plan as a shell reads it."""
    name = (
        f"conveyor-{until.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}".replace(".000000", "") + "-point-in-time.sql.gz"
    )
    lines = {
        "DUMP": way.dump.name,
        "DUMP_POSITION": str(way.dump.position),
        "FILES": " ".join(str(way.history.folder / entry.file) for entry in way.files),
        "STOP_BEFORE": way.stop_before or "",
        "POSITION": str(way.position),
        "RESULT": name,
    }
    return "".join(f"{key}={quote(value)}\n" for key, value in lines.items())


def main() -> None:
    """Plan, or end with what is in the way."""
    settings = load(PlanSettings)
    until = settings.until
    try:
        way = find_way(list(dumps(settings.backups)), Archive(settings.backups / FOLDER).histories(), until)
    except (NoWayError, EventError) as error:
        raise SystemExit(f"no way to {until.isoformat()}: {error}") from None
    settings.plan.write_text(written(way, until), encoding="ascii")
    print(f"from {way.dump.name} through {len(way.files)} files of the archive to {until.isoformat()}")  # noqa: T201 - what the Job's log is for


if __name__ == "__main__":
    main()
