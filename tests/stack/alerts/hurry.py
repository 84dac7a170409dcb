"""The same rules in a world in which a minute takes a second."""

import re

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
RANGE = re.compile(r"(?<=[\[:])(\d+)([smhd])(?=[\]:])")
WAIT = re.compile(r"(?m)(?<=^        for: )(\d+)([smhd])$")
# by which a rule decides that something stands still
AGE = re.compile(r"(_oldest_age_seconds\b[^>]*\) > )(\d+)")
# a worker speaks every 2 s, however short a minute is: it is silent when it has not four times
SILENCE = re.compile(r"(worker_heartbeat_age_seconds\b[^>]*\) > )30\b")
SILENT_SECONDS = 8
# what lasts for ten evaluations would last for thirty
LONGEST_WAIT_MS = 10_000


def hurried(rules: str, factor: int) -> str:
    """Divide windows, waits and ages; shares, counts and what is compared with a date stay as they are."""

    def shorter(duration: re.Match[str]) -> int:
        return max(1, int(duration[1]) * UNITS[duration[2]] // factor)

    rules = RANGE.sub(lambda window: f"{shorter(window)}ms", rules)
    rules = WAIT.sub(lambda wait: f"{min(shorter(wait), LONGEST_WAIT_MS)}ms", rules)
    rules = SILENCE.sub(rf"\g<1>{SILENT_SECONDS}", rules)
    return AGE.sub(lambda age: f"{age[1]}{int(age[2]) / factor:g}", rules)


def promised(rules: str, task_seconds: str) -> str:
    """Promise another time from accepted to done, as monitoring.objectives does."""
    return rules.replace('{le=~"60(.0)?"', f'{{le=~"{task_seconds}"')
