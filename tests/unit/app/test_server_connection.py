"""What MySQL answers that PyMySQL drops, and what PyMySQL loads that nobody needs."""

import inspect
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.connections import Connection
from pymysql.protocol import OKPacketWrapper

from app.database.connection import ServerConnection
from app.database.own_gtid import GTIDS, gtid_of

GTID = "839c82ab-4776-4933-b46b-619dd9ccbc30:1042"
SCHEMA, SYSTEM_VARIABLE = 1, 0


def text(data: bytes) -> bytes:
    """Return data as the protocol sends it: with its length in front."""
    if len(data) < 0xFB:
        return bytes([len(data)]) + data
    return b"\xfc" + len(data).to_bytes(2, "little") + data


def change(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + text(data)


def tail(*changes: bytes, message: bytes = b"") -> bytes:
    return text(message) + text(b"".join(changes))


def gtids(gtid: str) -> bytes:
    return change(GTIDS, b"\x00" + text(gtid.encode()))


def test_the_gtid_is_found_behind_message_and_other_changes() -> None:
    others = (change(SCHEMA, text(b"loadbalancer_db")), change(SYSTEM_VARIABLE, text(b"a") + text(b"b")))
    assert gtid_of(tail(*others, gtids(GTID), message=b"Rows matched: 1")) == GTID


def test_other_changes_alone_have_none() -> None:
    assert gtid_of(tail(change(SCHEMA, text(b"loadbalancer_db")))) is None


@pytest.mark.parametrize("answer", [b"", b"\x00"])
def test_an_answer_without_changes_has_none(answer: bytes) -> None:
    assert gtid_of(answer) is None


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_lengths_of_any_size_are_understood(message: bytes, other: bytes) -> None:
    assert gtid_of(tail(change(SCHEMA, other), gtids(GTID), message=message)) == GTID


def test_pymysql_reads_the_answer_to_a_commit_where_it_is_overridden() -> None:
    assert "self._read_ok_packet()" in inspect.getsource(Connection.commit)
    assert "self.message = self.packet.read_all()" in inspect.getsource(OKPacketWrapper.__init__)


def test_connections_that_verify_no_server_share_a_context_like_the_drivers_own() -> None:
    first, second = (vars(ServerConnection(defer_connect=True))["ctx"] for _ in range(2))
    drivers = vars(Connection(defer_connect=True))["ctx"]
    assert first is second
    for mine in ("check_hostname", "verify_mode", "minimum_version", "options"):
        assert getattr(first, mine) == getattr(drivers, mine), mine


def test_a_connection_that_verifies_its_server_has_the_authority_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ServerConnection(defer_connect=True, ssl={"ca": str(tmp_path / "none.pem")})
