"""What the live test of alerts makes of the rules: the same, in a shorter time."""

import re

import pytest
import yaml

from docs.metric_uses import RULES
from tests.stack.alerts.hurry import hurried, promised

FILES = sorted(RULES.glob("*.yaml"))


@pytest.mark.parametrize(
    ("rule", "shorter"),
    [
        ("rate(x_total[5m])", "rate(x_total[5000ms])"),
        ("resets(max by (a) (x > 0)[15m:30s]) > 0", "resets(max by (a) (x > 0)[15000ms:500ms]) > 0"),
        ("        for: 1m", "        for: 1000ms"),
        ("        for: 30s", "        for: 500ms"),
        ("        for: 30m", "        for: 10000ms"),
        ("max by (a) (outbox_oldest_age_seconds) > 60", "max by (a) (outbox_oldest_age_seconds) > 1"),
        (
            'max by (a) (queue_oldest_age_seconds{b="c"}\n          and on (d) e == 1) > 300',
            'max by (a) (queue_oldest_age_seconds{b="c"}\n          and on (d) e == 1) > 5',
        ),
        ('worker_heartbeat_age_seconds{b="c"}) > 30', 'worker_heartbeat_age_seconds{b="c"}) > 8'),
        # not durations
        ("a:ratio_rate5m > 14.4 * 0.001", "a:ratio_rate5m > 14.4 * 0.001"),
        ("x - time() < 14 * 86400", "x - time() < 14 * 86400"),
        ("          description: for: 1m", "          description: for: 1m"),
    ],
)
def test_windows_waits_and_ages_are_divided_and_nothing_else(rule: str, shorter: str) -> None:
    assert hurried(rule, 60) == shorter


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_duration_of_the_rules_is_forgotten(file: str) -> None:
    text = RULES.joinpath(file).read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(hurried(text, 60))["groups"] for rule in group["rules"]]
    for rule in rules:
        assert not re.search(r"[\[:]\d+[smhd][\]:]", rule["expr"]), rule
        assert rule.get("for", "0ms").endswith("ms")


def test_what_was_short_already_stays_longer_than_nothing() -> None:
    assert hurried("x[1s]", 5000) == "x[1ms]"


def test_another_time_for_tasks_can_be_promised() -> None:
    text = (RULES / "objectives.yaml").read_text(encoding="utf-8")
    assert promised(text, "2.5").count('task_accepted_to_done_seconds_bucket{le=~"2.5"') == 5
    assert 'le=~"60' not in promised(text, "2.5")
