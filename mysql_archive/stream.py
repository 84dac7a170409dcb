"""The binary log of a server as it sends it to its replicas."""

import secrets
import struct
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from mysql_agent.gtids import GtidSet
from mysql_archive.events import Event, checked

if TYPE_CHECKING:
    import pymysql

DUMP_GTID = 0x1E
# End where the log ends, instead of waiting for more.
NON_BLOCKING = 0x01
FIRST_POSITION = 4
_HEAD = struct.Struct("<HIIQI")
_COUNT = struct.Struct("<Q")
_INTERVAL = struct.Struct("<QQ")


class _Wire(Protocol):
    """The private methods of PyMySQL's connection that replication needs; a test on a server holds them."""

    def _execute_command(self, command: int, sql: bytes) -> None: ...

    def _read_packet(self) -> Any: ...  # noqa: ANN401 - PyMySQL's packet has no types


def transactions_after(connection: "pymysql.Connection[Any]", held: GtidSet) -> Iterator[Event]:
    """Yield all events of the log but those of transactions that are held already."""
    with connection.cursor() as cursor:
        # else the server takes the checksums away
        cursor.execute("SET @source_binlog_checksum = @@GLOBAL.binlog_checksum")
        cursor.execute("SET @replica_uuid = UUID()")
    wire: _Wire = connection  # type: ignore[assignment] # the stubs do not know private methods
    wire._execute_command(DUMP_GTID, request(held, secrets.randbelow(2**31) + 2**31))  # noqa: SLF001 - no public way
    while not (packet := wire._read_packet()).is_eof_packet():  # noqa: SLF001 - as above
        yield checked(packet.get_all_data()[1:])


def request(held: GtidSet, server_id: int) -> bytes:
    """Encode COM_BINLOG_DUMP_GTID."""
    encoded = _COUNT.pack(len(held.sources))
    for (source, tag), intervals in held.sources:
        if tag:
            raise ValueError(f"the archive cannot go on after transactions with a tag ({tag})")
        encoded += uuid.UUID(source).bytes + _COUNT.pack(len(intervals))
        encoded += b"".join(_INTERVAL.pack(first, last + 1) for first, last in intervals)
    return _HEAD.pack(NON_BLOCKING, server_id, 0, FIRST_POSITION, len(encoded)) + encoded
