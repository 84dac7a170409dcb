from pathlib import Path

import pytest

from mysql_agent.address import parse_members
from mysql_agent.membership import Membership

THREE = "mysql-0=a:3306,mysql-1=b:3306,mysql-2=c:3306"
FIVE = f"{THREE},mysql-3=d:3306,mysql-4=e:3306"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "members"
    file.write_text(THREE)
    return file


def names(membership: Membership) -> list[str]:
    return [peer.name for peer in membership.peers()]


def test_members_that_are_added_and_taken_away_are_known_without_a_new_start(file: Path) -> None:
    membership = Membership("mysql-0", parse_members(THREE, "mysql-0"), file)
    assert names(membership) == ["mysql-1", "mysql-2"]
    file.write_text(FIVE)
    assert names(membership) == ["mysql-1", "mysql-2", "mysql-3", "mysql-4"]
    assert membership.seeds() == "a:3306,b:3306,c:3306,d:3306,e:3306"
    file.write_text(THREE)
    assert names(membership) == ["mysql-1", "mysql-2"]


@pytest.mark.parametrize(
    "text",
    ["", "mysql-0", "mysql-0=a:3306,mysql-1=a:3306", THREE],
    ids=["empty", "nonsense", "contradiction", "without the member itself"],
)
def test_a_list_that_cannot_be_meant_for_the_member_changes_nothing(file: Path, text: str) -> None:
    membership = Membership("mysql-4", parse_members(FIVE, "mysql-4"), file)
    file.write_text(text)
    assert names(membership) == ["mysql-0", "mysql-1", "mysql-2", "mysql-3"]


def test_a_file_that_is_gone_changes_nothing(file: Path) -> None:
    membership = Membership("mysql-0", parse_members(THREE, "mysql-0"), file)
    file.unlink()
    assert names(membership) == ["mysql-1", "mysql-2"]


def test_without_a_file_the_servers_own_configuration_says_where_its_group_is() -> None:
    membership = Membership("mysql-0", parse_members(THREE, "mysql-0"), None)
    assert (names(membership), membership.seeds()) == (["mysql-1", "mysql-2"], "")
