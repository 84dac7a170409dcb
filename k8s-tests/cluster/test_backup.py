"""What is left when the release is gone, and when its disks are gone as well."""

import re
from typing import Any

import httpx2 as httpx

from cluster.load import Load
from cluster.settings import merged
from release import Release, Values
from waiting import NotYetError, eventually

BACKUP_SECONDS = 120
DELETE_SECONDS = 60
WITH_BACKUP = {"backup": {"enabled": True, "persistence": {"size": "1Gi"}}}


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


def test_a_backup_brings_everything_back_onto_empty_disks(
    release: Release, values: Values, load: Load, url: str, figures: dict[str, str]
) -> None:
    with load.running():
        load.wait_for(accepted=10)
    before = contents(url)
    release.upgrade(merged(values, WITH_BACKUP))
    wrote = r"^wrote (\S+\.sql\.gz), "
    file = eventually("the first backup is written", lambda: said(release, "backup", wrote), BACKUP_SECONDS)
    release.uninstall()
    release.wait_gone()
    wipe(release)
    release.install(merged(values, {**WITH_BACKUP, "restore": {"from": file}}))
    eventually("the dump is loaded", lambda: said(release, "restore", r"^loaded (\S+)$"), BACKUP_SECONDS)
    # API, workers and relays were stopped for it
    release.upgrade(merged(values, WITH_BACKUP))
    release.wait_settled()
    assert eventually("the Ingress leads to the new pods", lambda: contents(url), 60) == before
    figures["restored"] = ", ".join(f"{len(items)} {kind}" for kind, items in before.items())


def said(release: Release, component: str, pattern: str) -> str:
    """Return what a Job that succeeded says, such as the name of the file that it has written."""
    for item in release.kube.find("Pod", release.selector(component)):
        if item["status"]["phase"] == "Succeeded":
            log = release.kube.logs(item["metadata"]["name"], component)
            if found := re.search(pattern, log, re.MULTILINE):
                return found[1]
            raise NotYetError(f"{component} says: {log}")
    raise NotYetError(f"no {component} has succeeded")


def wipe(release: Release) -> None:
    """Throw the disks of database and queue away."""
    kube = release.kube
    claims = [item["metadata"]["name"] for item in kube.find("PersistentVolumeClaim", release.selector())]
    lost = [name for name in claims if re.search(r"-(mysql|redis)-\d+$", name)]
    assert len(lost) == 4
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
