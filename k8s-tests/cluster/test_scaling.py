"""More and fewer workers while there is work."""

from typing import Any

from cluster.load import Load
from cluster.settings import merged
from kube import Kube
from release import Release, Values
from waiting import NotYetError, eventually

REACTION_SECONDS = 180


def bounds(least: int, most: int, **others: int) -> dict[str, Any]:
    scaling = {"minReplicas": least, "maxReplicas": most, **others}
    return {"workers": {"default": {"autoscaling": scaling}}}


def workers(release: Release, wanted: int) -> None:
    def scaled() -> None:
        if (found := len(release.pods("worker"))) != wanted:
            raise NotYetError(f"{found} workers")

    eventually(f"there are {wanted} workers", scaled, REACTION_SECONDS)
    release.wait_settled()


def test_workers_come_and_go_without_losing_a_task(
    release: Release, values: Values, load: Load, figures: dict[str, str]
) -> None:
    with load.running() as traffic:
        load.wait_for(accepted=10)
        for count in (6, 2):
            release.upgrade(merged(values, bounds(count, count)))
            workers(release, count)
        load.wait_for(accepted=10)
    figures["workers 2, 6, 2 under load"] = str(traffic)
    assert traffic.failures == []


def test_busy_workers_get_help(
    release: Release, kube: Kube, values: Values, load: Load, figures: dict[str, str]
) -> None:
    def helped() -> int:
        scaler = kube.get("HorizontalPodAutoscaler", release.component("worker-default"))
        assert scaler
        status = scaler.get("status", {})
        if status.get("desiredReplicas", 0) <= 2:
            raise NotYetError(f"{status.get('currentMetrics', 'no metrics')}")
        return int(status["desiredReplicas"])

    try:
        with load.running():
            # on two cores there is no load that would reach the default of 70 %
            release.upgrade(merged(values, bounds(2, 3, targetCPUUtilization=5)))
            figures["workers at 5 % of the requested CPU"] = str(
                eventually("the autoscaler asks for more than 2 workers", helped, REACTION_SECONDS)
            )
    finally:
        release.upgrade(values)
        workers(release, 2)
