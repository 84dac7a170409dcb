from pathlib import Path

import pytest

from chart.manifests import Manifests
from chart.presets import PRESETS, Preset
from chart.shell import Shell
from stack.packages import find_daemons


@pytest.fixture(params=PRESETS)
def preset(request: pytest.FixtureRequest) -> Preset:
    """Each set of values in turn."""
    return PRESETS[str(request.param)]


@pytest.fixture
def manifests(preset: Preset) -> Manifests:
    """The chart, rendered with each set of values in turn."""
    return preset.rendered()


@pytest.fixture(scope="session")
def promtool() -> tuple[str, ...]:
    """Prometheus' own reader of rules and queries."""
    prometheus = find_daemons(lambda _: None).argv["prometheus"]
    return (*prometheus[:-1], str(Path(prometheus[-1]).with_name("promtool")))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)
