"""The agents with real servers: what they report, what they repair and where they stop."""

import os
import random
from pathlib import Path

import pymysql
import pytest

from mysql_agent.datadir import MARKER
from mysql_agent.gtids import GtidSet
from tests.stack.initialisation import initialise, initialising
from tests.stack.members import held_back
from tests.stack.mysql_group import ORDINALS, Group
from tests.stack.waiting import wait_until


def test_the_endpoints_of_a_complete_group_agree(group: Group) -> None:
    assert len(group.answers("/primary")) == 1
    assert len(group.answers("/replica")) == 2
    assert group.answers("/ready") == group.answers("/live") == list(ORDINALS)
    for ordinal in ORDINALS:
        role = "PRIMARY" if ordinal == group.primary() else "SECONDARY"
        assert group.metric(ordinal, f'mysql_agent_role{{role="{role}"}}') == 1
        assert group.metric(ordinal, "mysql_agent_members_online") == 3
        assert group.ask(ordinal, "/").json()["members"][0]["in_majority"] is True


def test_the_algebra_of_gtid_sets_is_that_of_mysql(group: Group) -> None:
    draw = random.Random(7)  # noqa: S311 - a sample, not a secret

    def gtids() -> str:
        parts = []
        for source in draw.sample(["a", "b"], draw.randint(1, 2)):
            uuid = f"{source * 8}-{(source * 4 + '-') * 3}{source * 12}"
            first, tag = draw.randint(1, 9), draw.choice(["", "tag:"])
            parts.append(f"{uuid}:{tag}{first}-{first + draw.randint(0, 5)}")
        return ",".join(parts)

    with group.session("mysql-replicas") as cursor:
        for left, right in [(gtids(), gtids()) for _ in range(100)]:
            cursor.execute("SELECT GTID_SUBTRACT(%s, %s), GTID_SUBSET(%s, %s)", (left, right, right, left))
            difference, contains = cursor.fetchall()[0]
            ours = GtidSet.parse(left) - GtidSet.parse(right)
            assert ours == GtidSet.parse(difference)
            assert (GtidSet.parse(left) >= GtidSet.parse(right)) is bool(contains)


def test_the_agents_tell_for_how_long_a_replica_has_been_behind(group: Group) -> None:
    held = next(ordinal for ordinal in ORDINALS if ordinal != group.primary())

    def lag() -> float:
        return group.metric(held, "mysql_agent_applier_lag_seconds")

    with group.session("mysql-primary") as cursor:
        cursor.execute(f"CREATE TABLE `{group.database}`.behind (id INT PRIMARY KEY)")
        with group.session(group.server(held)) as replica:
            wait_until(
                lambda: replica.execute(f"SHOW TABLES FROM `{group.database}` LIKE 'behind'"),
                "the replica has the table",
            )
        with held_back(group.stack, [group.server(held)], "behind"):
            cursor.execute(f"INSERT INTO `{group.database}`.behind VALUES (1)")  # noqa: S608 - a name of our own
            wait_until(lambda: lag() > 1, "what is held back grows older")
        wait_until(lambda: lag() == 0, "nothing is held back any more")
        cursor.execute(f"DROP TABLE `{group.database}`.behind")


def test_a_switched_over_primary_loses_its_clients(group: Group) -> None:
    old = group.primary()
    new = next(ordinal for ordinal in ORDINALS if ordinal != old)
    before = group.metric(old, "mysql_agent_demotions_total")
    with group.session(group.server(new), as_agent=True) as cursor:
        cursor.execute("SELECT @@GLOBAL.server_uuid")
        uuid = cursor.fetchall()[0][0]
    with group.session(group.server(old)) as established:
        with group.session(group.server(old), as_agent=True) as cursor:
            cursor.execute("SELECT group_replication_set_as_primary(%s, 5)", (uuid,))
        wait_until(lambda: group.answers("/primary") == [new], f"mysql-{new} is the primary")
        wait_until(
            lambda: group.metric(old, "mysql_agent_demotions_total") == before + 1, "the demotion is seen"
        )
        with pytest.raises(pymysql.OperationalError):
            established.execute("SELECT 1")
    group.wait_complete()


def test_a_bootstrap_flag_that_was_left_behind_is_cleared(group: Group) -> None:
    member = group.primary()
    with group.session(group.server(member), as_agent=True) as cursor:
        cursor.execute("SET GLOBAL group_replication_bootstrap_group = ON")

        def cleared() -> bool:
            cursor.execute("SELECT @@GLOBAL.group_replication_bootstrap_group")
            return bool(cursor.fetchall()[0][0] == 0)

        wait_until(cleared, "the flag is off again", 10)


def test_an_initialisation_that_is_killed_is_done_anew_and_then_never_again(
    group: Group, tmp_path: Path
) -> None:
    environment = {
        **group.stack.env_for("mysql-init-0"),
        "MYSQL_INIT_DATADIR": str(tmp_path / "data"),
        "LOG_FORMAT": "json",
    }
    with initialising(environment) as killed:
        wait_until((tmp_path / "data" / "ibdata1").exists, "mysqld has begun")
        killed.kill()
    assert not (tmp_path / "data" / MARKER).exists()
    assert '"event": "initialised"' in initialise(environment)
    assert '"event": "already initialised"' in initialise(environment)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_nobody_logs_in_as_root_and_the_administrator_cannot_alter_the_agent(group: Group) -> None:
    # A socket's name has room for 107 characters; a descriptor of its directory makes any path short.
    directory = os.open(group.datadir(0), os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(pymysql.OperationalError, match="locked"):
            pymysql.connect(
                unix_socket=f"/proc/self/fd/{directory}/mysqld.sock", user="root", connect_timeout=3
            )
    finally:
        os.close(directory)
    with (
        group.session("mysql-primary") as cursor,
        pytest.raises(pymysql.OperationalError, match="SYSTEM_USER"),
    ):
        cursor.execute("ALTER USER 'conveyor_agent'@'%' ACCOUNT LOCK")
