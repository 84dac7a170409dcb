"""Members on one machine remember their disks in a file."""

from pathlib import Path

from mysql_agent.cluster import ClusterView
from mysql_agent.decide import decide
from mysql_agent.memory import FileMemory
from mysql_agent.report import Report
from tests.unit.mysql_agent.views import cluster, in_group, offline, uuid


def saw(memory: FileMemory, view: ClusterView) -> None:
    memory.saw(Report(view, decide(view), seen_at=0))


def test_the_primary_of_a_complete_group_remembers_its_members(tmp_path: Path) -> None:
    memory = FileMemory(tmp_path / "bootstrap.members")
    assert memory.known_uuids == frozenset()
    saw(memory, cluster(1, None, in_group(1), None))
    assert memory.known_uuids == frozenset(), "a replica does not write"
    saw(memory, cluster(0, in_group(0), in_group(1), in_group(2)))
    assert memory.known_uuids == {uuid(0), uuid(1), uuid(2)}
    assert [path.name for path in tmp_path.iterdir()] == ["bootstrap.members"]


def test_nothing_is_forgotten_while_members_are_missing(tmp_path: Path) -> None:
    memory = FileMemory(tmp_path / "bootstrap.members")
    saw(memory, cluster(0, in_group(0), in_group(1), in_group(2)))
    saw(memory, cluster(0, in_group(0, size=2), in_group(1, size=2), offline(2)))
    saw(memory, cluster(0, offline(0), offline(1), offline(2)))
    assert memory.known_uuids == {uuid(0), uuid(1), uuid(2)}
