"""Events of a binary log, made by hand."""

import struct
import uuid
import zlib
from datetime import UTC, datetime, timedelta

from mysql_archive.events import FORMAT, GTID, PREVIOUS_GTIDS, ROTATE, Event

SOURCE = "aaaaaaaa-0000-0000-0000-000000000001"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ROWS, XID = 30, 16


def event(kind: int, body: bytes = b"") -> Event:
    """Return an event with a checksum that is right."""
    header = struct.pack("<IBIIIH", 0, kind, 1, 19 + len(body) + 4, 0, 0)
    return Event(header + body + zlib.crc32(header + body).to_bytes(4, "little"))


def gtid_event(number: int, second: float, *, applied_later: bool = False) -> Event:
    """Return the beginning of a transaction that was committed so many seconds after BEGIN."""
    at = int(
        ((BEGIN + timedelta(seconds=second)) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)
    )
    body = struct.pack("<B16sQBQQ", 0, uuid.UUID(SOURCE).bytes, number, 2, 0, 1)
    if applied_later:
        body += ((at + 5_000_000) | 1 << 55).to_bytes(7, "little")
    return event(GTID, body + at.to_bytes(7, "little"))


def head() -> list[Event]:
    return [event(ROTATE, b"binlog.000002"), event(FORMAT, b"9.7"), event(PREVIOUS_GTIDS, bytes(8))]


def transaction(number: int, second: float) -> list[Event]:
    return [gtid_event(number, second), event(ROWS, bytes([number])), event(XID)]
