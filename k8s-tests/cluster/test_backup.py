"""What is left when the release is gone, and when its disks are gone as well."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx
import pytest

from bench.ledger import Ledger
from cluster.handbook import Handbook
from cluster.jobs import said
from cluster.load import Load
from cluster.object_store import STORE, STORE_PORT, STORE_VARIABLES, store_of_objects
from cluster.settings import merged
from cluster.shell import Shell
from release import ROOT, Release, Values
from waiting import NotYetError, eventually

BACKUP_SECONDS = 120
DELETE_SECONDS = 60
RELAY_METRICS = 9101


def contents(url: str) -> dict[str, list[Any]]:
    """Read all users, products and tasks."""
    return {kind: _pages(url, kind) for kind in ("users", "products", "tasks")}


def test_data_outlives_an_uninstallation(release: Release, values: Values, load: Load, url: str) -> None:
    kube, credentials = release.kube, release.component("credentials")
    with load.running():
        load.wait_for(accepted=10)
    before, secret = contents(url), kube.get("Secret", credentials)
    release.uninstall()
    release.wait_gone()
    release.install(values)
    release.wait_settled()
    assert kube.get("Secret", credentials) == secret
    assert eventually("the Ingress leads to the new pods", lambda: contents(url), 60) == before


@pytest.fixture(scope="module")
def bucket(release: Release) -> Iterator[Values]:
    """Run a server that speaks S3 beside the release, and give the values that lead there."""
    kube = release.kube
    kube.apply(*store_of_objects())
    try:
        yield {
            "backup": {
                "enabled": True,
                "persistence": {"size": "1Gi"},
                "s3": {
                    "enabled": True,
                    "endpoint": STORE_VARIABLES["ENDPOINT"],
                    "port": STORE_PORT,
                    "path": "backups/conveyor",
                    "existingSecret": STORE,
                },
            }
        }
    finally:
        for manifest in store_of_objects():
            kube.delete(manifest["kind"], manifest["metadata"]["name"])


@pytest.fixture
def handbook(release: Release, shell: Shell, values: Values) -> Iterator[Handbook]:
    """Give the page for operators, and the release as it was before somebody followed it."""
    yield Handbook(ROOT / "docs" / "backup.md", shell)
    release.upgrade(values)
    release.kube.delete("Secret", "bucket")


def test_a_backup_brings_everything_back_onto_empty_disks(
    release: Release, values: Values, load: Load, url: str, *, bucket: Values, figures: dict[str, str]
) -> None:
    with load.running():
        load.wait_for(accepted=10)
    before = contents(url)
    release.upgrade(merged(values, bucket))
    wrote = r"^wrote (\S+\.sql\.gz), "
    file = eventually("the first backup is written", lambda: said(release, "backup", wrote), BACKUP_SECONDS)
    eventually("the relays show its age", lambda: shown(release), BACKUP_SECONDS)
    release.uninstall()
    release.wait_gone()
    wipe(release)
    release.install(merged(values, {**bucket, "restore": {"from": file}}))
    eventually("the dump is loaded", lambda: said(release, "restore", r"^loaded (\S+)$"), BACKUP_SECONDS)
    # API, workers and relays were stopped for it
    release.upgrade(merged(values, bucket))
    release.wait_settled()
    assert eventually("the Ingress leads to the new pods", lambda: contents(url), 60) == before
    figures["restored"] = ", ".join(f"{len(items)} {kind}" for kind, items in before.items())


@pytest.mark.usefixtures("bucket")
def test_an_operator_goes_back_to_the_second_before_a_mistake(
    release: Release, handbook: Handbook, load: Load, ledger: Ledger, *, url: str, figures: dict[str, str]
) -> None:
    handbook.follow("Set it up", **STORE_VARIABLES)
    release.wait_settled()
    assert "wrote conveyor-" in handbook.follow("Check it")
    with load.running():
        load.wait_for(accepted=10)
    before = contents(url)
    until = datetime.now(UTC)
    mistake = ledger.new_user()
    started = time.monotonic()
    made = handbook.follow("Go back to a second", UNTIL=until.isoformat(timespec="microseconds"))
    figures["going back to a second"] = f"{time.monotonic() - started:.0f} s until its dump is there"
    assert mistake in {user["id"] for user in contents(url)["users"]}
    restored = handbook.follow("Restore a dump", DUMP=made.rpartition("wrote ")[2].strip())
    assert "loaded conveyor-" in restored
    release.wait_settled()
    assert eventually("the Ingress leads to the new pods", lambda: contents(url), 60) == before


def shown(release: Release) -> None:
    """Check that a relay's metrics tell of a backup."""
    pod = release.pods("relay")[0]
    with release.kube.forward(pod.name, RELAY_METRICS) as port:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    found = re.search(r"^backup_last_success_timestamp_seconds (\S+)$", text, re.MULTILINE)
    if not found or time.time() - float(found[1]) > BACKUP_SECONDS * 2:
        raise NotYetError(f"{pod.name} shows {found and found[0]}")


def wipe(release: Release) -> None:
    """Throw the disks of database, queue and backups away."""
    kube = release.kube
    claims = [item["metadata"]["name"] for item in kube.find("PersistentVolumeClaim", release.selector())]
    lost = [name for name in claims if re.search(r"-(mysql|redis)-\d+$|-backup$", name)]
    assert len(lost) == 5
    for name in lost:
        kube.delete("PersistentVolumeClaim", name)

    def gone() -> None:
        if left := [name for name in lost if kube.get("PersistentVolumeClaim", name)]:
            raise NotYetError(f"still there: {', '.join(left)}")

    eventually("the disks are gone", gone, DELETE_SECONDS)


def _pages(url: str, kind: str) -> list[Any]:
    items: list[Any] = []
    parameter = "after" if kind == "users" else "before"
    position: dict[str, str] = {}
    with httpx.Client(base_url=url, timeout=15) as client:
        while True:
            answer = client.get(f"/api/{kind}", params={"limit": "200", **position})
            if answer.status_code != httpx.codes.OK:
                raise NotYetError(f"{kind}: {answer.status_code} {answer.text[:200]}")
            page = answer.json()
            items += page["items"]
            if not page["next"]:
                return items
            position = {parameter: str(page["next"])}
