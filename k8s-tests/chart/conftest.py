from pathlib import Path

import pytest

from chart.manifests import Manifests
from chart.presets import PRESETS, Preset
from chart.shell import Shell


@pytest.fixture(params=PRESETS)
def preset(request: pytest.FixtureRequest) -> Preset:
    """Each set of values in turn."""
    return PRESETS[str(request.param)]


@pytest.fixture
def manifests(preset: Preset) -> Manifests:
    """The chart, rendered with each set of values in turn."""
    return preset.rendered()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)
