"""./test-worker.sh against the whole system, well and not well."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from stack.ports import can_bind, free_ports
from stack.supervisor import ROOT, Stack

STEPS = 12
WORKERS = ("worker-1", "worker-2")


def run_script(*arguments: str, deadline_seconds: int = 30) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(ROOT / "test-worker.sh"), *arguments],
        env=os.environ | {"TASK_DEADLINE_SECONDS": str(deadline_seconds)},
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture
def frozen_workers(stack: Stack) -> Iterator[None]:
    for name in WORKERS:
        stack.service(name).freeze()
    yield
    for name in WORKERS:
        stack.service(name).thaw()


def test_every_step_passes_on_a_system_that_is_well(stack: Stack) -> None:
    stack.wait_all_ready()
    ended = run_script(f"{stack.url}/")
    assert ended.returncode == 0, ended.stdout
    assert f"all {STEPS} steps passed at {stack.url}" in ended.stdout
    assert ended.stdout.count("PASS  ") == STEPS


@pytest.mark.usefixtures("frozen_workers")
def test_without_a_worker_what_is_accepted_passes_and_what_is_to_be_done_fails(stack: Stack) -> None:
    ended = run_script(stack.url, deadline_seconds=2)
    assert ended.returncode == 1
    for step in ("a test task is accepted", "a product is accepted", "the same Idempotency-Key"):
        assert f"PASS  {step}" in ended.stdout
    for step in ("a worker runs the test task", "a worker makes the product"):
        assert re.search(
            rf"FAIL  {step}\n +no end within 2 s .* is queued\n +the system says: ", ended.stdout
        )
    assert re.search(r"\d of \d steps failed at http", ended.stdout)


def test_what_cannot_be_reached_is_told_with_the_command_that_starts_it() -> None:
    port = next(port for port in free_ports().values() if can_bind(port))
    ended = run_script(f"http://127.0.0.1:{port}")
    assert ended.returncode == 1
    assert "make up" in ended.stdout
    assert f"1 of 1 steps failed at http://127.0.0.1:{port}" in ended.stdout


def test_another_program_is_not_taken_for_conveyor(stack: Stack) -> None:
    ended = run_script(f"http://127.0.0.1:{stack.ports['prometheus']}")
    assert ended.returncode == 1
    assert "expected 200, got 404 from a proxy" in ended.stdout
    assert "is this Conveyor" in ended.stdout


@pytest.mark.parametrize("address", ["localhost:8090", "--help", "ftp://localhost"])
def test_what_is_no_url_is_answered_with_the_usage(address: str) -> None:
    ended = run_script(address)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "usage: ./test-worker.sh [URL]" in ended.stderr
