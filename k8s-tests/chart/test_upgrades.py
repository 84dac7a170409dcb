"""What an upgrade may change, and what it must leave alone."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chart.manifests import Document, Manifests
from chart.presets import PRESETS
from chart.rendering import CHART, NAMESPACE, render
from helm import helm_binary

VERSIONED = {"app.kubernetes.io/version", "helm.sh/chart", "app.kubernetes.io/managed-by"}


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Manifests:
    """The same values with a chart of a later version, as the next upgrade brings it."""
    chart = tmp_path_factory.mktemp("next") / "conveyor"
    shutil.copytree(CHART, chart)
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**metadata, "version": "9.9.9", "appVersion": "9.9.9"}))
    return Manifests(rendered_from(chart))


def rendered_from(chart: Path) -> str:
    argv = [str(helm_binary("4.1")), "template", "demo", str(chart), "--namespace", NAMESPACE]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout


def fixed_parts(stateful_set: Document) -> tuple[object, ...]:
    spec = stateful_set["spec"]
    return (
        spec["selector"],
        spec["serviceName"],
        spec.get("podManagementPolicy"),
        spec["volumeClaimTemplates"],
    )


def test_what_kubernetes_never_lets_change_does_not_change(next_release: Manifests) -> None:
    now = PRESETS["default"].rendered()
    for kind in ("Deployment", "StatefulSet"):
        for before, after in zip(now.of(kind), next_release.of(kind), strict=True):
            assert before["spec"]["selector"] == after["spec"]["selector"]
            if kind == "StatefulSet":
                assert fixed_parts(before) == fixed_parts(after)


def test_a_later_version_does_not_restart_redis(next_release: Manifests) -> None:
    (before,) = PRESETS["default"].rendered().pods_of("redis")
    (after,) = next_release.pods_of("redis")
    assert before == after


def test_more_or_fewer_members_restart_none() -> None:
    pods = [render({"mysql": {"replicas": replicas}}).pods_of("mysql") for replicas in (3, 5)]
    assert pods[0] == pods[1]


def test_a_later_version_migrates_anew_under_another_name(next_release: Manifests) -> None:
    now = {job["metadata"]["name"] for job in PRESETS["default"].rendered().of("Job")}
    later = {job["metadata"]["name"] for job in next_release.of("Job")}
    assert len(now) == len(later) == 2
    assert now & later == set()


@pytest.mark.parametrize(
    ("values", "renamed"),
    [
        ({"image": {"tag": "2"}}, {"migrate", "credentials"}),
        ({"migrations": {"seedDemoUsers": True}}, {"migrate"}),
        ({"settings": {"LOG_LEVEL": "DEBUG"}}, {"migrate"}),
        ({"api": {"resources": {"limits": {"memory": "1Gi"}}}}, set()),
        ({"commonLabels": {"team": "a"}}, {"migrate", "credentials"}),
    ],
)
def test_a_job_is_a_new_one_exactly_when_it_would_differ(
    values: dict[str, object], renamed: set[str]
) -> None:
    before, after = PRESETS["default"].rendered(), render(values)
    for component in ("migrate", "credentials"):
        names = [
            {
                job["metadata"]["name"]: job["spec"]
                for job in manifests.of("Job")
                if f"-{component}-" in job["metadata"]["name"]
            }
            for manifests in (before, after)
        ]
        if component in renamed:
            assert set(names[0]) != set(names[1])
        else:
            assert names[0] == names[1]


def test_a_job_is_not_removed_so_that_an_upgrade_without_changes_runs_nothing(manifests: Manifests) -> None:
    for job in manifests.of("Job"):
        assert "ttlSecondsAfterFinished" not in job["spec"]


def empty_lists(part: object, path: str) -> Iterator[str]:
    if part == []:
        yield path
    entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in entries:
        yield from empty_lists(value, f"{path}.{key}")


def test_nothing_is_set_that_the_server_drops_and_an_upgrade_would_set_again(manifests: Manifests) -> None:
    for document in manifests.documents:
        assert list(empty_lists(document, document["metadata"]["name"])) == []


def test_nothing_but_the_tests_is_a_hook(manifests: Manifests) -> None:
    hooks = {
        document["metadata"]["annotations"]["helm.sh/hook"]
        for document in manifests.documents
        if "helm.sh/hook" in (document["metadata"].get("annotations") or {})
    }
    assert hooks == {"test"}


def selectors(document: Document) -> list[dict[str, str]]:
    spec = document.get("spec") or {}
    found = spec.get("selector") or {}
    templates = [template["metadata"]["labels"] for template in spec.get("volumeClaimTemplates") or []]
    return [found.get("matchLabels", found), *templates]


def test_no_selector_and_no_claim_knows_a_version(manifests: Manifests) -> None:
    for document in manifests.documents:
        if document["kind"] in {"Deployment", "StatefulSet", "Service", "PodDisruptionBudget"}:
            for labels in selectors(document):
                assert set(labels) & VERSIONED == set(), document["metadata"]["name"]
                assert labels


def test_every_object_says_what_it_belongs_to(manifests: Manifests) -> None:
    for document in manifests.documents:
        if document["metadata"]["name"].startswith("demo-conveyor"):
            labels = document["metadata"]["labels"]
            assert set(labels) >= VERSIONED | {"app.kubernetes.io/name", "app.kubernetes.io/component"}
            assert labels["app.kubernetes.io/instance"] == "demo"


def test_the_backups_outlive_the_release() -> None:
    (claim,) = PRESETS["production"].rendered().of("PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_nobody_writes_and_nothing_is_backed_up_while_a_restore_runs() -> None:
    manifests = PRESETS["restore"].rendered()
    replicas = {
        document["metadata"]["name"].removeprefix("demo-conveyor-"): document["spec"]["replicas"]
        for document in manifests.of("Deployment")
    }
    assert replicas.pop("flower") == 1
    assert set(replicas.values()) == {0}
    assert {"api", "relay", "worker-default", "worker-reports", "worker-fixed"} == set(replicas)
    assert manifests.of("HorizontalPodAutoscaler") == manifests.of("ScaledObject") == []
    assert manifests.named()["CronJob/demo-conveyor-backup"]["spec"]["suspend"] is True
    assert {pod.component for pod in manifests.pods if pod.owner.startswith("Job/")} == {
        *("credentials", "migrate", "restore")
    }


def test_without_a_restore_backups_are_made_from_the_first_minute_on() -> None:
    manifests = PRESETS["everything"].rendered()
    assert manifests.named()["CronJob/demo-conveyor-backup"]["spec"]["suspend"] is False
    assert "backup" in {pod.component for pod in manifests.pods if pod.owner.startswith("Job/")}
