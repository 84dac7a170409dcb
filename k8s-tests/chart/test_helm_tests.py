"""`helm test`: which tests there are, and that each has what it needs."""

import re

import pytest

from chart.presets import PRESETS
from chart.rendering import CHART, render

SCRIPTS = {path.stem: path.read_text(encoding="utf-8") for path in (CHART / "files" / "tests").glob("*.py")}
TESTS = set(SCRIPTS) - {"front"}


def names_of(preset: str) -> set[str]:
    pods = PRESETS[preset].rendered().pods_of("test")
    return {pod.owner.removeprefix("Pod/demo-conveyor-test-") for pod in pods}


def test_there_are_enough_of_them_and_each_says_what_it_is_for() -> None:
    assert len(TESTS) >= 6
    assert names_of("default") == TESTS
    for name in TESTS:
        assert SCRIPTS[name].startswith('"""'), name
        assert SCRIPTS[name].count("check(") >= 1, name


@pytest.mark.parametrize(
    ("preset", "left_out"),
    [("as-little-as-can-be", {"flower-refuses"}), ("own-servers", {"every-member", "redis-keeps"})],
)
def test_what_is_not_there_is_not_tested(preset: str, left_out: set[str]) -> None:
    assert names_of(preset) == TESTS - left_out


def test_each_test_finds_every_variable_that_it_reads() -> None:
    manifests = PRESETS["default"].rendered()
    settings = manifests.named()["ConfigMap/demo-conveyor-settings"]["data"]
    for pod in manifests.pods_of("test"):
        given = {variable.name for variable in pod.container("test").env or []} | set(settings)
        script = SCRIPTS[pod.owner.removeprefix("Pod/demo-conveyor-test-")] + SCRIPTS["front"]
        read = set(re.findall(r'os\.environ\["(\w+)"\]', script))
        assert read - given == set(), pod.owner


def test_the_tests_go_through_the_ingress_where_its_address_is_known() -> None:
    for url in ("", "http://ingress.example.com"):
        for pod in render({"tests": {"url": url}}).pods_of("test"):
            variables = {variable.name: variable.value for variable in pod.container("test").env or []}
            assert variables["CONVEYOR_URL"] == (url or "http://demo-conveyor-api")


def test_a_test_ends_in_bounded_time_and_stays_to_be_read() -> None:
    for document in PRESETS["default"].rendered().of("Pod"):
        assert document["spec"]["activeDeadlineSeconds"] <= 300
        assert document["spec"]["restartPolicy"] == "Never"
        assert document["metadata"]["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation"
