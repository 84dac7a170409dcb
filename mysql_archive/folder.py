"""The archive on its volume: files in which mysqld reads relay logs, each with a description beside it.

A history of transactions has a folder of its own: a database that was made anew counts from 1 again.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mysql_agent.gtids import GtidSet
from mysql_archive.events import HEADER, MAGIC, Commit, Event, EventError, checked

STAMP = "%Y%m%dT%H%M%S.%fZ"
COVERED = "covered-until"
# below the volume of backups
FOLDER = "binlogs"


@dataclass(frozen=True)
class Entry:
    """What one file holds: all that was committed between two sets of transactions."""

    file: str
    after: str
    through: str
    earliest: str
    latest: str
    last_gtid: str
    last_at: str
    sha256: str

    @property
    def position(self) -> GtidSet:
        """All that is held when this file is replayed."""
        return GtidSet.parse(self.through)

    @property
    def beginning(self) -> GtidSet:
        """All that has to be held before this file is replayed."""
        return GtidSet.parse(self.after)

    @property
    def ends(self) -> datetime:
        """The latest commit in it."""
        return datetime.fromisoformat(self.latest)

    @property
    def last(self) -> Commit:
        """The transaction it ends with."""
        return Commit(self.last_gtid, datetime.fromisoformat(self.last_at))


class History:
    """One folder of files that follow each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[Entry]:
        """Return the descriptions in the order of their files."""
        paths = sorted(self.folder.glob("*.json"))
        return [Entry(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]

    def covered_until(self) -> datetime | None:
        """Return the time up to which nothing is missing."""
        path = self.folder / COVERED
        return datetime.fromisoformat(path.read_text(encoding="ascii").strip()) if path.exists() else None

    def cover(self, until: datetime) -> None:
        """Remember that all that was committed before is here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / COVERED, f"{until.isoformat()}\n".encode())

    def add(self, entry: Entry, content: Path) -> None:
        """Take a complete file in; the description comes last, and without it the file does not count."""
        content.replace(self.folder / entry.file)
        described = json.dumps(asdict(entry), indent=1).encode()
        write_whole((self.folder / entry.file).with_suffix(".json"), described)

    def clear_leftovers(self) -> None:
        """Remove what a run that was killed has left."""
        described = {path.with_suffix("").name for path in self.folder.glob("*.json")}
        for path in [*self.folder.glob("*.part"), *self.folder.glob("*.binlog")]:
            if path.suffix == ".part" or path.with_suffix("").name not in described:
                path.unlink()

    def forget_before(self, moment: datetime) -> None:
        """Remove files that end before a time, with their descriptions."""
        for entry in self.entries():
            if entry.ends < moment:
                file = self.folder / entry.file
                file.with_suffix(".json").unlink()
                file.unlink(missing_ok=True)

    def events(self, entry: Entry) -> Iterator[Event]:
        """Read a file back, or say that it is damaged."""
        data = (self.folder / entry.file).read_bytes()
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise EventError(f"{entry.file} is not what was archived: the volume damaged it")
        position = len(MAGIC)
        while position < len(data):
            size = HEADER.unpack_from(data, position)[3]
            yield checked(data[position : position + size])
            position += size


class Archive:
    """All histories of one database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def histories(self) -> list[History]:
        """Return them, the newest first."""
        if not self._folder.is_dir():
            return []
        return [History(path) for path in sorted(self._folder.iterdir(), reverse=True) if path.is_dir()]

    def begin(self, now: datetime) -> History:
        """Return an empty history."""
        history = History(self._folder / now.strftime(STAMP))
        history.folder.mkdir(parents=True)
        return history

    def forget_before(self, moment: datetime) -> None:
        """Remove what no dump that is kept can be continued with."""
        for history in self.histories():
            history.forget_before(moment)
            covered = history.covered_until()
            if not history.entries() and covered and covered < moment:
                (history.folder / COVERED).unlink()
                history.folder.rmdir()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there completely or not at all."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
