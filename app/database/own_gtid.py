"""The GTID of a commit, in what the server sends along with its answer."""

from collections.abc import Iterator
from itertools import islice

SESSION_STATE_CHANGED = 0x4000
GTIDS = 3
ENCODING_BYTES = 1
# The first byte of a longer length says in how many bytes it follows.
LENGTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def gtid_of(tail: bytes) -> str | None:
    """Find the GTID in what follows the fixed part of an answer: a message, then the session's changes."""
    for change in islice(_texts(tail), 1, None):
        for kind, data in _typed(change):
            if kind == GTIDS:
                [gtid] = _texts(data[ENCODING_BYTES:])
                return gtid.decode("ascii")
    return None


def _typed(changes: bytes) -> Iterator[tuple[int, bytes]]:
    while changes:
        kind, (data, changes) = changes[0], _text(changes[1:])
        yield kind, data


def _texts(data: bytes) -> Iterator[bytes]:
    while data:
        text, data = _text(data)
        yield text


def _text(data: bytes) -> tuple[bytes, bytes]:
    """Split off a text that begins with its length."""
    size = LENGTHS.get(data[0], 0)
    length = int.from_bytes(data[1 : 1 + size], "little") if size else data[0]
    start = 1 + size
    return data[start : start + length], data[start + length :]
