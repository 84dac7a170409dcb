"""What skaffold.yaml names exists. Skaffold itself did not read it here."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.skaffold.configuration import Configuration

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "conveyor"
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "skaffold.yaml").read_text(encoding="utf-8"))
PROFILES = {profile["name"]: profile for profile in DOCUMENT["profiles"]}


def applied(document: dict[str, Any], *profiles: str) -> dict[str, Any]:
    """Return the document with the patches of profiles, as Skaffold applies them."""
    result = copy.deepcopy(document)
    del result["profiles"]
    for patch in (patch for name in profiles for patch in PROFILES[name]["patches"]):
        *parents, last = [int(step) if step.isdigit() else step for step in patch["path"].split("/")[1:]]
        target: Any = result
        for step in parents:
            target = target[step]
        assert (last in target) == (patch["op"] == "replace") or isinstance(target, list), patch["path"]
        target[last] = patch["value"]
    return result


@pytest.fixture(params=[(), *((name,) for name in PROFILES), ("sync", "small"), ("registry", "production")])
def configuration(request: pytest.FixtureRequest) -> Configuration:
    """Give the configuration as each profile makes it, and as those that go together do."""
    return Configuration.model_validate(applied(DOCUMENT, *request.param))


def chart_values() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return document


def test_nothing_is_named_that_its_schema_does_not_know() -> None:
    Configuration.model_validate(DOCUMENT)


def test_every_path_exists(configuration: Configuration) -> None:
    [release] = configuration.deploy.helm.releases
    [artifact] = configuration.build.artifacts
    for path in (release.chart_path, *release.values_files, artifact.context, artifact.docker.dockerfile):
        assert (ROOT / path).exists(), path
    watched = [path for test in configuration.test for one in test.custom for path in one.dependencies.paths]
    copied = [rule.src for rule in artifact.sync.manual] if artifact.sync else []
    for pattern in [*watched, *copied]:
        assert any(ROOT.glob(pattern)), pattern


def test_every_value_that_is_set_is_one_of_the_charts(configuration: Configuration) -> None:
    [release] = configuration.deploy.helm.releases
    for name, value in {**release.set_values, **release.set_value_templates}.items():
        found: Any = chart_values()
        for step in name.split("."):
            assert step in found, name
            found = found[step]
        assert found is None or type(found) is type(value), name


def test_the_image_that_is_built_is_the_one_that_is_tested_and_deployed(configuration: Configuration) -> None:
    [artifact] = configuration.build.artifacts
    [release] = configuration.deploy.helm.releases
    assert [test.image for test in configuration.test] == [artifact.image]
    named = re.findall(r"IMAGE_(?:REPO|TAG)_(\w+)", " ".join(release.set_value_templates.values()))
    assert named == [artifact.image] * 2


def test_the_dashboard_is_forwarded_from_where_it_is(configuration: Configuration) -> None:
    [forward] = configuration.port_forward
    [release] = configuration.deploy.helm.releases
    assert (forward.resource_name, forward.namespace) == (f"{release.name}-api", release.namespace)
    assert forward.address == "127.0.0.1"
    service = (CHART / "templates" / "api" / "service.yaml").read_text(encoding="utf-8")
    assert f"port: {forward.port}," in service


def test_files_are_copied_to_where_the_image_has_them() -> None:
    configuration = Configuration.model_validate(applied(DOCUMENT, "sync"))
    [artifact] = configuration.build.artifacts
    dockerfile = (ROOT / artifact.docker.dockerfile).read_text(encoding="utf-8")
    assert artifact.sync
    assert {rule.dest for rule in artifact.sync.manual} == {"/opt/conveyor"}
    assert "WORKDIR /opt/conveyor\nCOPY app app\n" in dockerfile
    arguments = set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE))
    assert set(artifact.docker.build_args) <= arguments


def test_tests_are_run_by_a_target_that_exists(configuration: Configuration) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in (one.command for test in configuration.test for one in test.custom):
        program, target = command.split()
        assert program == "make"
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_each_profile_says_when_it_is_used() -> None:
    lines = (ROOT / "skaffold.yaml").read_text(encoding="utf-8").splitlines()
    for name, profile in PROFILES.items():
        above = lines[: lines.index(f"  - name: {name}")]
        comment: list[str] = []
        while above[-1].startswith("  # "):
            comment.insert(0, above.pop())
        used = "Used by `skaffold dev`" if "activation" in profile else "Not used by default: `skaffold "
        assert comment[0].startswith(f"  # {used}"), name
