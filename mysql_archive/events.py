"""What an event of a binary log says, as far as an archive must know it."""

import struct
import uuid
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")
CHECKSUM_BYTES = 4

STOP, ROTATE, FORMAT, HEARTBEAT, GTID, ANONYMOUS_GTID, PREVIOUS_GTIDS = 3, 4, 15, 27, 33, 34, 35
HEARTBEAT_V2, TAGGED_GTID = 41, 42

# After the header: flags, UUID, number, type and two numbers of the logical clock; then two times of 7 bytes.
_GTID = struct.Struct("<B16sQBQQ")
_TIME_BYTES = 7
_HAS_ORIGINAL_TIME = 1 << 55


class EventError(Exception):
    """The stream holds what cannot be archived; the message says what to do."""


@dataclass(frozen=True)
class Event:
    """One event, byte for byte as the server sent it."""

    raw: bytes

    @property
    def kind(self) -> int:
        return self.raw[4]


@dataclass(frozen=True)
class Commit:
    """The beginning of a transaction: its id, and when it was committed by the clock of its primary."""

    gtid: str
    at: datetime


def checked(raw: bytes) -> Event:
    """Return the event if it is what was written."""
    if len(raw) < HEADER.size + CHECKSUM_BYTES or HEADER.unpack_from(raw)[3] != len(raw):
        raise EventError(f"an event of {len(raw)} bytes says of itself that it has another size")
    if zlib.crc32(raw[:-CHECKSUM_BYTES]) != int.from_bytes(raw[-CHECKSUM_BYTES:], "little"):
        raise EventError("an event does not have its checksum: the network or the server's disk damaged it")
    return Event(raw)


def commit_of(event: Event) -> Commit:
    """Read the event with which every transaction begins."""
    if event.kind != GTID:
        raise EventError(
            f"a transaction begins with an event of type {event.kind}: those without a GTID, or with a tag "
            "in it, cannot be archived"
        )
    _, source, number, *_ = _GTID.unpack_from(event.raw, HEADER.size)
    first = HEADER.size + _GTID.size
    immediate = int.from_bytes(event.raw[first : first + _TIME_BYTES], "little")
    # A member that only applied the transaction tells both times, first its own.
    second = first + _TIME_BYTES if immediate & _HAS_ORIGINAL_TIME else first
    microseconds = int.from_bytes(event.raw[second : second + _TIME_BYTES], "little") & ~_HAS_ORIGINAL_TIME
    return Commit(f"{uuid.UUID(bytes=source)}:{number}", moment(microseconds))


def moment(microseconds: int) -> datetime:
    """Return a time without the rounding of a float."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(
        microsecond=microseconds % 1_000_000
    )
