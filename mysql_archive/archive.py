"""One run of the archive: fetch from the primary what is not there yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pymysql
import structlog

from mysql_agent.gtids import GtidSet
from mysql_archive.events import Commit
from mysql_archive.folder import Archive, History
from mysql_archive.recorder import OtherHistoryError, Recorder
from mysql_archive.settings import ArchiveSettings
from mysql_archive.stream import transactions_after

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10
# also the longest wait for the next event
READ_SECONDS = 60
LOOK = "SELECT UTC_TIMESTAMP(6), @@GLOBAL.super_read_only, @@GLOBAL.gtid_purged"


class NotPrimaryError(Exception):
    """The server is a replica, which may lack what was acknowledged already."""


@dataclass(frozen=True)
class _Look:
    now: datetime
    purged: GtidSet


def archive_once(settings: ArchiveSettings, archive: Archive) -> int:
    """Fetch what is new and return the number of transactions."""
    with _connected(settings) as connection:
        look = _look(connection)
    history, known = _continue(archive, look)
    try:
        count = _record(settings, history, known, look)
    except OtherHistoryError:
        log.warning("the database was made anew; its history begins here", was=str(history.folder))
        history = archive.begin(look.now)
        count = _record(settings, history, None, look)
    history.cover(look.now)
    return count


def _continue(archive: Archive, look: _Look) -> tuple[History, Commit | None]:
    """Return the history that goes on, with the transaction that it ends with."""
    histories = archive.histories()
    if not histories:
        return archive.begin(look.now), None
    history = histories[0]
    history.clear_leftovers()
    entries = history.entries()
    if not entries:
        return history, None
    missing = look.purged - entries[-1].position
    last = entries[-1].last
    if missing or look.purged >= GtidSet.parse(last.gtid):
        log.warning("the server removed transactions that were not archived; the next dump closes the gap")
        return archive.begin(look.now), None
    return history, last


def _record(settings: ArchiveSettings, history: History, known: Commit | None, look: _Look) -> int:
    entries = history.entries()
    held = entries[-1].position if entries else look.purged
    asked = held - GtidSet.parse(known.gtid) if known else held
    with _connected(settings) as connection:
        recorder = Recorder(history, held, known, look.now)
        return recorder.record(transactions_after(connection, asked))


def _look(connection: "pymysql.Connection[Any]") -> _Look:
    with connection.cursor() as cursor:
        cursor.execute(LOOK)
        [(now, read_only, purged)] = cursor.fetchall()
    if read_only:
        raise NotPrimaryError
    return _Look(now.replace(tzinfo=UTC), GtidSet.parse(purged))


@contextmanager
def _connected(settings: ArchiveSettings) -> Iterator["pymysql.Connection[Any]"]:
    connection = pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.get_secret_value(),
        # as mysql_agent/connect.py: encrypted always
        ssl={"ca": str(settings.tls_ca)} if settings.tls_ca else {"verify_mode": "none"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        write_timeout=CONNECT_SECONDS,
        program_name="mysql_archive",
    )
    try:
        yield connection
    finally:
        connection.close()
