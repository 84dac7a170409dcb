"""The lock of members on one machine."""

from pathlib import Path

from mysql_agent.lock import FileLock


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "state" / "lock"
    with FileLock(path).attempt() as first, FileLock(path).attempt() as second:
        assert first.is_safe()
        assert not second.is_safe()
        assert second.obstacle == f"another agent holds {path}"
    with FileLock(path).attempt() as third:
        assert third.is_safe()


def test_a_lock_that_cannot_be_opened_is_not_held(tmp_path: Path) -> None:
    with FileLock(tmp_path).attempt() as hold:
        assert not hold.is_safe()
        assert str(tmp_path) in hold.obstacle
