"""Turns a stream of events into files of an archive: whole transactions, and nothing if anything is wrong."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from mysql_agent.gtids import GtidSet
from mysql_archive.events import (
    ANONYMOUS_GTID,
    FORMAT,
    GTID,
    HEARTBEAT,
    HEARTBEAT_V2,
    MAGIC,
    PREVIOUS_GTIDS,
    ROTATE,
    STOP,
    TAGGED_GTID,
    Commit,
    Event,
    EventError,
    commit_of,
)
from mysql_archive.folder import STAMP, Entry, History

BEGINNINGS = {GTID, ANONYMOUS_GTID, TAGGED_GTID}
# They tell of the server's files or of its idleness, not of data.
PASSED_OVER = {ROTATE, HEARTBEAT, HEARTBEAT_V2, STOP}
# What a file begins with, or mysqld takes it for damaged.
HEAD = (FORMAT, PREVIOUS_GTIDS)


class OtherHistoryError(Exception):
    """The server does not know the last transaction of the archive: its database was made anew."""


@dataclass
class _File:
    path: Path
    after: GtidSet
    stream: BinaryIO
    hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    commits: list[Commit] = field(default_factory=list)
    held: GtidSet = field(default_factory=GtidSet)

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self.hash.update(data)


class Recorder:
    """Records one run; `known` is the last transaction of the archive, which the server has to show again."""

    def __init__(self, history: History, held: GtidSet, known: Commit | None, now: datetime) -> None:
        self._history = history
        self._held = held
        self._known = known
        self._now = now
        self._seen_known = known is None
        self._head: list[Event] = []
        self._file: _File | None = None
        self._finished: list[_File] = []
        self._skipping = False

    def record(self, events: Iterable[Event]) -> int:
        """Take everything in and return how many transactions are new."""
        try:
            for event in events:
                self._take(event)
            self._end_file()
            if not self._seen_known:
                raise OtherHistoryError
            return self._keep()
        finally:
            if self._file:
                self._file.stream.close()
            for file in (*self._finished, *([self._file] if self._file else [])):
                file.path.unlink(missing_ok=True)

    def _take(self, event: Event) -> None:
        if event.kind in PASSED_OVER:
            return
        if event.kind in HEAD:
            self._end_file()
            self._head = [*(() if event.kind == FORMAT else self._head), event]
            return
        if event.kind in BEGINNINGS:
            self._begin(commit_of(event))
        if self._skipping:
            return
        if self._file is None:
            raise EventError(f"an event of type {event.kind} belongs to no transaction")
        self._file.write(event.raw)

    def _begin(self, commit: Commit) -> None:
        if self._known and commit.gtid == self._known.gtid:
            if commit != self._known:
                raise OtherHistoryError
            self._seen_known = self._skipping = True
            return
        self._skipping = False
        file = self._file or self._begin_file()
        file.commits.append(commit)

    def _begin_file(self) -> _File:
        if tuple(event.kind for event in self._head) != HEAD:
            raise EventError("a transaction came before the description of its file")
        path = self._history.folder / f"{self._now.strftime(STAMP)}-{len(self._finished):04}.part"
        self._file = _File(path, self._held, path.open("wb"))
        self._file.write(MAGIC + b"".join(event.raw for event in self._head))
        return self._file

    def _end_file(self) -> None:
        self._skipping = False
        if self._file is None:
            return
        file, self._file = self._file, None
        file.stream.flush()
        os.fsync(file.stream.fileno())
        file.stream.close()
        self._held = file.held = self._held | GtidSet.parse(",".join(commit.gtid for commit in file.commits))
        self._finished.append(file)

    def _keep(self) -> int:
        count = 0
        for file in self._finished:
            self._history.add(_entry(file), file.path)
            count += len(file.commits)
        self._finished.clear()
        return count


def _entry(file: _File) -> Entry:
    last = file.commits[-1]
    return Entry(
        file=file.path.with_suffix(".binlog").name,
        after=str(file.after),
        through=str(file.held),
        earliest=min(commit.at for commit in file.commits).isoformat(),
        latest=max(commit.at for commit in file.commits).isoformat(),
        last_gtid=last.gtid,
        last_at=last.at.isoformat(),
        sha256=file.hash.hexdigest(),
    )
