"""New passwords, with a run that is killed at each moment in turn: nobody is ever locked out."""

from collections.abc import Mapping
from itertools import count

import pytest

from app.credentials.rotation.__main__ import PasswordSecret
from app.credentials.rotation.rotate import Rotation
from app.credentials.rotation.servers import Passwords
from app.credentials.rotation.steps import Step, drawn, forgotten, steps_left, switched
from app.credentials.rotation.workloads import RestartError, Workload, Workloads, is_complete
from app.credentials.secret import encoded
from app.credentials.settings import CredentialsSettings
from kubernetes_api.client import ApiError, Document
from tests.unit.kubernetes_api.fake_api import FakeApi

KEYS = ("db-password", "redis-password")
API, REDIS = Workload("deployments", "api"), Workload("statefulsets", "redis")


class Killed(BaseException):
    pass


class World:
    """Servers with the passwords that they accept, pods with those that they read, and the Secret."""

    def __init__(self) -> None:
        self.secret = {"secret-key": b"s", **dict.fromkeys(KEYS, b"first")}
        self.accepted = {key: {"first"} for key in KEYS}
        self.pods = {workload: self.read() for workload in (API, REDIS)}
        self.rotations: list[str] = []
        self.kill_at: int | None = None
        self._deeds = 0
        self._drawn = count(1)

    def read(self) -> dict[str, str]:
        return {key: self.secret[key].decode() for key in KEYS}

    def deed(self) -> None:
        """Nobody may be locked out at any moment; and at one of them the run is killed."""
        for workload, passwords in self.pods.items():
            for key, password in passwords.items():
                assert password in self.accepted[key], f"{workload.name} is locked out"
        for key, password in self.read().items():
            assert password in self.accepted[key], "who starts now is locked out"
        self._deeds += 1
        if self._deeds == self.kill_at:
            raise Killed

    def new_password(self) -> str:
        return f"drawn-{next(self._drawn)}"


class Secret:
    def __init__(self, world: World) -> None:
        self._world = world

    def values(self) -> dict[str, bytes]:
        return dict(self._world.secret)

    def write(self, values: Mapping[str, bytes]) -> None:
        self._world.deed()
        self._world.secret = dict(values)
        self._world.deed()

    def rotation(self) -> str:
        return self._world.secret["db-password"].decode()


class Server:
    def __init__(self, world: World, key: str) -> None:
        self._world = world
        self._key = key

    @property
    def key(self) -> str:
        return self._key

    def accept(self, old: Passwords, new: Passwords) -> None:
        self._world.deed()
        assert self._world.accepted[self.key] <= {old[self.key], new[self.key]}
        self._world.accepted[self.key] = {old[self.key], new[self.key]}
        self._world.deed()

    def discard(self, new: Passwords) -> None:
        self._world.deed()
        self._world.accepted[self.key] = {new[self.key]}
        self._world.deed()


class Restarts:
    def __init__(self, world: World) -> None:
        self._world = world

    def restart(self, workload: Workload, rotation: str) -> None:
        self._world.deed()
        self._world.rotations.append(rotation)
        self._world.pods[workload] = self._world.read()
        self._world.deed()


def rotate(world: World) -> None:
    servers = [Server(world, key) for key in KEYS]
    Rotation(Secret(world), servers, (API, REDIS), Restarts(world), world.new_password).run()


def assert_rotated(world: World) -> None:
    assert set(world.secret) == {"secret-key", *KEYS}
    assert world.secret["secret-key"] == b"s"
    for key in KEYS:
        assert world.accepted[key] == {world.read()[key]} != {"first"}
    assert all(passwords == world.read() for passwords in world.pods.values())


def test_every_password_is_another_one_afterwards_and_the_old_ones_are_forgotten() -> None:
    world = World()
    rotate(world)
    assert_rotated(world)
    assert len(set(world.read().values())) == len(KEYS)


MOMENTS = 18


@pytest.mark.parametrize("moment", range(1, MOMENTS))
def test_a_run_that_is_killed_at_any_moment_is_continued_by_the_next(moment: int) -> None:
    world = World()
    world.kill_at = moment
    with pytest.raises(Killed):
        rotate(world)
    rotate(world)
    assert_rotated(world)
    assert len(set(world.rotations)) == 1


def test_that_were_all_moments() -> None:
    world = World()
    world.kill_at = MOMENTS + 1
    rotate(world)
    assert_rotated(world)


def test_a_second_rotation_draws_anew() -> None:
    world = World()
    rotate(world)
    before = world.read()
    rotate(world)
    assert_rotated(world)
    assert not set(before.values()) & set(world.read().values())


def test_what_is_left_is_read_off_the_secret() -> None:
    assert steps_left({"a": b"1"})[0] is Step.DRAW
    assert steps_left({"a": b"1", "next.a": b"2"})[0] is Step.ACCEPT
    assert steps_left({"a": b"2", "old.a": b"1"})[0] is Step.RESTART


PATH = "/apis/apps/v1/namespaces/shop/deployments/api"


def deployment(generation: int, updated: int) -> Document:
    status = {"observedGeneration": generation, "replicas": 2, "updatedReplicas": updated, "readyReplicas": 2}
    return {
        "metadata": {"name": "api", "generation": generation},
        "spec": {"replicas": 2, "template": {"metadata": {"annotations": {"checksum/settings": "x"}}}},
        "status": status,
    }


def test_a_restart_is_a_change_of_the_template_and_waits_for_the_last_pod() -> None:
    api = FakeApi()
    api.put(PATH, deployment(3, 1))
    api.fail("GET", "deployments", ApiError("etcd is away", 500))
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            api.put(PATH, deployment(3, 2))

    Workloads(api, "shop", 60, sleep=sleep).restart(API, "r1")
    assert len(pauses) == 2
    patched = FakeApi()
    patched.put(PATH, deployment(3, 2))
    Workloads(patched, "shop", 60).restart(API, "r1")
    annotations = patched.documents[PATH]["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"checksum/settings": "x", "conveyor/passwords-of": "r1"}


def test_a_restart_that_does_not_end_says_that_nothing_is_lost_yet() -> None:
    api = FakeApi()
    api.put(PATH, deployment(3, 1))
    ticks = count()
    with pytest.raises(RestartError, match="old passwords stay valid"):
        Workloads(api, "shop", 3, sleep=lambda _: None, clock=lambda: next(ticks)).restart(API, "r1")


def test_a_change_that_was_not_seen_yet_is_not_complete() -> None:
    unseen = deployment(3, 2)
    unseen["metadata"]["generation"] = 4
    assert not is_complete(unseen)


SECRET_PATH = "/api/v1/namespaces/shop/secrets/conveyor-credentials"


def test_the_secret_is_written_as_it_was_seen_and_names_the_rotation_once() -> None:
    api = FakeApi()
    old = {"db-password": b"first", "secret-key": b"s"}
    api.put(SECRET_PATH, {"metadata": {"name": "conveyor-credentials"}, "data": encoded(old)})
    secret = PasswordSecret(api, CredentialsSettings(secret="conveyor-credentials", namespace="shop"))
    secret.write(drawn(secret.values(), {"db-password": "second"}))
    secret.write(switched(secret.values()))
    assert secret.values() == {"db-password": b"second", "old.db-password": b"first", "secret-key": b"s"}
    named = secret.rotation()
    secret.write(forgotten(secret.values()))
    assert secret.values() == {"db-password": b"second", "secret-key": b"s"}
    assert secret.rotation() == named
    stale = secret.values()
    api.put(SECRET_PATH, api.documents[SECRET_PATH])
    with pytest.raises(ApiError, match="modified"):
        secret.write(stale)


def test_without_a_secret_it_says_who_makes_it() -> None:
    secret = PasswordSecret(FakeApi(), CredentialsSettings(secret="conveyor-credentials", namespace="shop"))
    with pytest.raises(SystemExit, match="the credentials Job makes it"):
        secret.values()
