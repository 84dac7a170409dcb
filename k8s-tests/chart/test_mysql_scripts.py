"""How a member is made, and how it gives its role away before it stops."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chart.shell import Shell
from waiting import eventually


@pytest.fixture
def accounts(shell: Shell) -> Path:
    path = shell.place("init") / "accounts.sql"
    path.write_text("CREATE USER")
    return path


def test_a_member_is_made_once_and_the_passwords_do_not_stay(shell: Shell, accounts: Path) -> None:
    assert shell.run("mysql/initialize.sh").returncode == 0
    assert shell.note("accounts") == "CREATE USER"
    assert not accounts.exists()
    assert [path.name for path in shell.place("home").iterdir()] == ["data"]
    accounts.write_text("CREATE USER")
    assert shell.run("mysql/initialize.sh").returncode == 0
    assert len(shell.note("calls").splitlines()) == 1
    assert not accounts.exists()


def test_a_start_that_failed_half_way_is_made_again(shell: Shell, accounts: Path) -> None:
    (shell.place("notes") / "fail").touch()
    assert shell.run("mysql/initialize.sh").returncode != 0
    assert not accounts.exists()
    assert not (shell.place("home") / "data").exists()
    (shell.place("notes") / "fail").unlink()
    accounts.write_text("CREATE USER")
    assert shell.run("mysql/initialize.sh").returncode == 0
    assert (shell.place("home") / "data").is_dir()


def test_a_member_stops_as_soon_as_it_is_released(shell: Shell) -> None:
    handover = shell.place("handover")
    (handover / "released").touch()  # of a stop before, whose agent died with it

    def release() -> None:
        eventually("the hook asks for the release", (handover / "stopping").stat, 5)
        assert not (handover / "released").exists()
        (handover / "released").touch()

    with ThreadPoolExecutor(1) as agent:
        released = agent.submit(release)
        started = time.monotonic()
        assert shell.run("mysql/hand-over.sh").returncode == 0
        assert time.monotonic() - started < 5
        released.result()


def test_a_member_whose_agent_is_dead_stops_all_the_same(shell: Shell) -> None:
    shell.skip_sleep()
    assert shell.run("mysql/hand-over.sh").returncode == 0
    assert shell.note("slept").splitlines() == ["0.5"] * 40
