"""Which dump and which part of the archive lead to a chosen second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mysql_agent.gtids import GtidSet
from mysql_archive.events import GTID, Commit, commit_of
from mysql_archive.folder import Entry, History

# A dump is taken from a replica, which may lag behind the primary's clock by as much.
LAG = timedelta(minutes=1)
OTHER_HISTORY = "the archive is of another history of the database than the dump"


class NoWayError(Exception):
    """The second cannot be reached; the message says which can."""


@dataclass(frozen=True)
class Dump:
    """A dump, when it was begun, and the transactions in it."""

    name: str
    begun: datetime
    position: GtidSet


@dataclass(frozen=True)
class Way:
    """A dump, the files to replay after it, where to stop, and what must be there in the end."""

    dump: Dump
    history: History
    files: tuple[Entry, ...]
    stop_before: str | None
    position: GtidSet


def find_way(dumps: Sequence[Dump], histories: Sequence[History], until: datetime) -> Way:
    """Take the newest dump from which an archive leads to the second."""
    obstacles: list[str] = []
    for dump in sorted(dumps, key=lambda each: each.begun, reverse=True):
        if dump.begun > until:
            continue
        for history in histories:
            try:
                return _way(dump, history, until)
            except NoWayError as error:
                obstacles.append(f"{dump.name}: {error}")
    if not obstacles:
        oldest = min((dump.begun for dump in dumps), default=None)
        raise NoWayError(
            f"no dump with a position was taken before {until.isoformat()}; "
            + (f"the oldest is of {oldest.isoformat()}" if oldest else "there is none at all")
        )
    raise NoWayError("; ".join(obstacles))


def _way(dump: Dump, history: History, until: datetime) -> Way:
    covered = history.covered_until()
    if covered is None or covered < until:
        end = f"ends at {covered.isoformat()}" if covered else "is empty"
        raise NoWayError(f"the archive {end}, choose an earlier second")
    position, files = dump.position, list[Entry]()
    for entry in history.entries():
        if not position >= entry.beginning:
            raise NoWayError(f"transactions between the dump and {entry.earliest} are not archived")
        held = entry.position - entry.beginning
        new = held - dump.position
        if entry.ends > until or (new and new != held):
            commits = _commits(history, entry)
            _check_against(dump, commits, until)
            last = next((commit for commit in commits if commit.at > until), None)
            if last:
                position |= _set(commits[: commits.index(last)])
                return Way(dump, history, (*files, entry), last.gtid, position)
        elif new and datetime.fromisoformat(entry.earliest) < dump.begun - LAG:
            raise NoWayError(OTHER_HISTORY)
        position |= held
        files += [entry] if new else []
    return Way(dump, history, tuple(files), None, position)


def _check_against(dump: Dump, commits: Iterable[Commit], until: datetime) -> None:
    for commit in commits:
        in_dump = dump.position >= _set([commit])
        if in_dump and commit.at > until:
            raise NoWayError("the dump is newer than the second")
        if not in_dump and commit.at < dump.begun - LAG:
            raise NoWayError(OTHER_HISTORY)


def _commits(history: History, entry: Entry) -> list[Commit]:
    return [commit_of(event) for event in history.events(entry) if event.kind == GTID]


def _set(commits: Iterable[Commit]) -> GtidSet:
    return GtidSet.parse(",".join(commit.gtid for commit in commits))
