"""What every test with Kubernetes has: options, figures at the end, and an explained failure."""

from collections.abc import Iterator

import pytest

from diagnosis import WATCHED, diagnose

FIGURES = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kubernetes")
    group.addoption(
        "--keep-cluster",
        action="store_true",
        help="leave cluster (CONVEYOR_CLUSTER_DIR=.cache/cluster) and release",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[WATCHED] = []
    config.stash[FIGURES] = {}


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> dict[str, str]:
    """Take what a test has measured: name and value with its unit, printed at the end."""
    return request.config.stash[FIGURES]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        for kube in item.config.stash[WATCHED]:
            report.sections.extend(diagnose(kube))  # type: ignore[attr-defined]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if measured := config.stash[FIGURES]:
        terminalreporter.section("measured")
        for name, value in measured.items():
            terminalreporter.write_line(f"{name}: {value}")
