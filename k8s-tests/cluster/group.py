"""The database's group as its own members and agents see it, and the verdict on it."""

import base64
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2 as httpx
import pymysql
import pytest

from cluster.load import Traffic
from cluster.members import primary, roles
from kube import Kube, Object
from node.cluster import NodeHandle
from node.provider import Cluster
from release import Release
from waiting import NotYetError, eventually

MYSQL_PORT, AGENT_PORT = 3306, 8008
# name, key of the password, database
ADMINISTRATOR = ("conveyor_admin", "db-admin-password", "loadbalancer_db")
AGENT = ("conveyor_agent", "mysql-agent-password", "performance_schema")
SQL_SECONDS = 20
AGREE_SECONDS = 60
FAILOVER_SECONDS = 60
NAMED = 3
VIEW = """
SELECT member_host, member_state, member_role FROM performance_schema.replication_group_members
"""


@dataclass(frozen=True)
class View:
    """The group as one member sees it."""

    states: dict[str, str]  # of each member, by the name of its pod
    primaries: tuple[str, ...]
    executed: str


class Group:
    """Asks each member by itself, past Services and labels."""

    def __init__(self, release: Release, kube: Kube, cluster: Cluster) -> None:
        self._release = release
        self._kube = kube
        self._cluster = cluster

    def members(self) -> list[str]:
        return sorted(roles(self._release, self._kube))

    def primary(self) -> str:
        return primary(self._release, self._kube)

    def successor(self, old: str) -> str:
        """Wait until the label of the primary is another member's."""

        def labelled() -> str:
            if (found := self.primary()) == old:
                raise NotYetError(f"{found} still is")
            return found

        return eventually("another member is labelled as primary", labelled, FAILOVER_SECONDS)

    def kill(self, pod: str, container: str) -> None:
        """Kill a container as `kill -9` does; nothing in it gets to know."""
        self.signal(pod, container, "SIGKILL")

    def signal(self, pod: str, container: str, signal: str) -> None:
        """Send a signal to a container's first process, which takes none such from the inside."""
        status = self._pod(pod)["status"]
        states = [*status.get("initContainerStatuses", ()), *status["containerStatuses"]]
        container_id = next(state["containerID"] for state in states if state["name"] == container)
        self.node(pod).signal_container(container_id, signal)

    def node(self, pod: str) -> NodeHandle:
        """Return the node that a member runs on, or skip the test where it is not ours to break."""
        node = self._cluster.node(self._pod(pod)["spec"]["nodeName"])
        if node is None:
            pytest.skip("the machines of this cluster are not ours to break")
        return node

    def _pod(self, name: str) -> Object:
        item = self._kube.get("Pod", name)
        if not item:  # it was deleted, and nobody has made it anew yet
            raise NotYetError(f"there is no pod {name}")
        return item

    def tell(self, pod: str, statement: str) -> list[tuple[Any, ...]]:
        """Have the agent's account, which may change the server, carry a statement out once it is let in."""

        def told() -> list[tuple[Any, ...]]:
            with self.session(pod, AGENT) as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())

        return eventually(f"{pod} lets the agent's account in", told, SQL_SECONDS)

    @contextmanager
    def session(
        self, pod: str, account: tuple[str, str, str] = ADMINISTRATOR
    ) -> Iterator["pymysql.cursors.Cursor"]:
        """Give a cursor of an account on one member.

        Raises:
            NotYetError: the member does not let it in.
        """
        with self._kube.forward(pod, MYSQL_PORT) as port:
            try:
                connection = self._connect(port, *account)
            except pymysql.MySQLError as error:
                raise NotYetError(f"{pod}: {error}") from error
            try:
                with connection.cursor() as cursor:
                    yield cursor
            finally:
                connection.close()

    def view(self, pod: str) -> View:
        with self.session(pod) as cursor:
            cursor.execute(VIEW)
            rows = [(str(host).partition(".")[0], state, role) for host, state, role in cursor.fetchall()]
            cursor.execute("SELECT @@GLOBAL.gtid_executed")
            ((executed,),) = cursor.fetchall()
        primaries = tuple(name for name, _, role in rows if role == "PRIMARY")
        return View({name: state for name, state, _ in rows}, primaries, str(executed).replace("\n", ""))

    def foundings(self) -> int:
        """Count the groups that the members' agents have founded since they were started."""
        return self.foundings_of(self.members())

    def foundings_of(self, pods: Collection[str]) -> int:
        return sum(int(self.metric(pod, "mysql_agent_bootstrap_total")) for pod in pods)

    def metric(self, pod: str, series: str) -> float:
        lines = self._ask_agent(pod, "/metrics").text.splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} "))

    def reason(self, pod: str, wanted: str) -> str:
        """Return what an agent says about the reason for which it waits, if that is the one."""
        if self._pod(pod)["status"]["phase"] != "Running":
            raise NotYetError(f"{pod} does not run")
        try:
            decision = self._ask_agent(pod, "/").json()["decision"]
        except (httpx.HTTPError, ValueError) as error:
            raise NotYetError(f"{pod}: {error!r}") from error
        if decision["reason"] != wanted:
            raise NotYetError(f"{pod}: {decision['reason']}, {decision['message']}")
        return str(decision["message"])

    def _ask_agent(self, pod: str, path: str) -> httpx.Response:
        with self._kube.forward(pod, AGENT_PORT) as port:
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=SQL_SECONDS)

    def verify(self, traffic: Traffic) -> None:
        """Hold each member to every write that was acknowledged, and all of them to one view."""
        eventually("the members agree about everything", self.agree, AGREE_SECONDS)
        for pod in self.members():
            lacking = eventually(
                f"{pod} tells what it has", partial(self._lacking, pod, traffic), AGREE_SECONDS
            )
            assert not lacking, f"{pod}: {'; '.join(lacking)}"

    def agree(self) -> None:
        """See that every member has the same transactions and sees the same complete group."""
        executed = {pod: view.executed for pod, view in self.complete().items()}
        if len(set(executed.values())) != 1:
            raise NotYetError(f"the members executed {executed}")

    def complete(self) -> dict[str, View]:
        """Return what the members see, if all see the same complete group and its primary has the label."""
        labels = roles(self._release, self._kube)
        views = {pod: self.view(pod) for pod in labels}
        online = dict.fromkeys(labels, "ONLINE")
        wrong = [f"{pod} sees {view.states}" for pod, view in views.items() if view.states != online]
        primaries = {view.primaries for view in views.values()}
        labelled = tuple(pod for pod, role in labels.items() if role == "primary")
        if wrong or primaries != {labelled} or len(labelled) != 1:
            raise NotYetError(f"{wrong}; primaries are {primaries}, labelled {labelled}")
        return views

    def _lacking(self, pod: str, traffic: Traffic) -> list[str]:
        with self.session(pod) as cursor:
            cursor.execute("SELECT id FROM tasks WHERE id >= %s", (min(traffic.accepted),))
            tasks = [row[0] for row in cursor.fetchall()]
            cursor.execute("SELECT task_id FROM products WHERE user_id = %s", (traffic.user_id,))
            products = [row[0] for row in cursor.fetchall()]
        return [
            *_named("acknowledged and not there", set(traffic.accepted) - set(tasks)),
            *_named("acknowledged and without a product", set(traffic.accepted) - set(products)),
            *_named("with more than one product", {one for one in products if products.count(one) > 1}),
        ]

    def _connect(self, port: int, user: str, key: str, database: str) -> "pymysql.Connection[Any]":
        secret = self._kube.get("Secret", self._release.component("credentials"))
        assert secret
        return pymysql.connect(
            host="127.0.0.1",
            port=port,
            user=user,
            password=base64.b64decode(secret["data"][key]).decode(),
            database=database,
            connect_timeout=SQL_SECONDS,
            read_timeout=SQL_SECONDS,
            autocommit=True,
        )


def _named(what: str, task_ids: Collection[str]) -> list[str]:
    return [f"{len(task_ids)} {what}: {', '.join(sorted(task_ids)[:NAMED])}"] if task_ids else []
