"""`python -m stack …` as people use it, with the parts that start fast."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from stack import sessions
from stack.ports import NAMES, can_bind
from stack.state import StackState, read_state
from stack.supervisor import ROOT

INTERRUPTED = 130


@dataclass
class CommandLine:
    """Runs commands on a state directory and ports of its own."""

    directory: Path
    base: int
    parts: str = "redis prometheus"

    @property
    def env(self) -> dict[str, str]:
        return os.environ | {
            "CONVEYOR_STATE_DIR": str(self.directory),
            "CONVEYOR_HTTP_PORT": str(self.base),
            "CONVEYOR_BASE_PORT": str(self.base + 1),
            "CONVEYOR_PARTS": self.parts,
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "stack", *arguments],
            cwd=ROOT,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == code, output
        return output

    @property
    def state(self) -> StackState:
        state = read_state(self.directory)
        assert state is not None
        return state

    def redis(self, command: str) -> str:
        password = json.loads((self.directory / "secrets.json").read_text())["redis_password"]
        with socket.create_connection(("127.0.0.1", self.state.ports["redis"]), 5) as connection:
            connection.sendall(f"AUTH {password}\r\n{command}\r\n".encode())
            connection.settimeout(5)
            answer = b""
            while answer.count(b"\r\n") < (3 if command.startswith("GET") else 2):
                answer += connection.recv(1000)
        return answer.decode().split("\r\n")[-2]


@pytest.fixture
def conveyor(tmp_path: Path) -> Iterator[CommandLine]:
    candidates = random.SystemRandom().sample(range(20000, 31000), 200)
    block = range(len(NAMES) + 1)
    base = next(port for port in candidates if all(can_bind(port + offset) for offset in block))
    conveyor = CommandLine(tmp_path / "state", base)
    yield conveyor
    conveyor.run("down")


def alive(state: StackState) -> list[str]:
    return [
        name
        for name, part in state.services.items()
        if part.identity and any(sessions.members(part.identity))
    ]


def test_up_prints_where_everything_is_and_down_leaves_nothing(conveyor: CommandLine) -> None:
    output = conveyor.run("up")
    assert "✓ redis" in output
    assert f"http://localhost:{conveyor.base}/flower/" in output
    state = conveyor.state
    assert alive(state) == ["redis", "prometheus"]
    assert "stopped everything" in conveyor.run("down")
    assert alive(state) == []
    assert not sessions.is_alive(state.supervisor)
    assert conveyor.run("down") == "not running\n"


def test_no_password_is_printed_or_logged(conveyor: CommandLine) -> None:
    shown = conveyor.run("up") + conveyor.run("status") + (conveyor.directory / "log").read_text()
    secrets = json.loads((conveyor.directory / "secrets.json").read_text())
    assert not [name for name, value in secrets.items() if value in shown]


def test_a_second_up_says_that_it_runs_and_where(conveyor: CommandLine) -> None:
    conveyor.run("up")
    supervisor = conveyor.state.supervisor
    output = conveyor.run("up")
    assert "already running" in output
    assert f"http://localhost:{conveyor.base}/" in output
    assert conveyor.state.supervisor == supervisor


def test_status_shows_each_part_and_fails_when_nothing_runs(conveyor: CommandLine) -> None:
    assert "not running" in conveyor.run("status", code=1)
    conveyor.run("up")
    identity = conveyor.state.services["redis"].identity
    assert identity is not None
    line = next(line for line in conveyor.run("status").splitlines() if line.startswith("redis "))
    assert ["redis", "ready", str(identity.pid), "0"] == line.split()[:4]
    assert "MiB" in line


def test_redis_can_be_asked_without_a_program_or_password_of_ones_own(conveyor: CommandLine) -> None:
    assert "not running" in conveyor.run("client", "redis", "ping", code=1)
    conveyor.run("up")
    assert conveyor.run("client", "redis", "ping") == "PONG\n"


def test_the_log_can_be_narrowed_to_a_part(conveyor: CommandLine) -> None:
    conveyor.run("up")
    lines = conveyor.run("logs", "--no-follow", "redis").splitlines()
    assert lines
    assert {line.split()[1] for line in lines} == {"redis"}
    assert "no part is called web; there are: redis, prometheus, stack" in conveyor.run(
        "logs", "--no-follow", "web", code=1
    )


def test_the_log_is_followed(conveyor: CommandLine) -> None:
    conveyor.run("up")
    identity = conveyor.state.services["redis"].identity
    assert identity is not None
    follower = conveyor.start("logs", "--lines", "1")
    assert follower.stdout is not None
    with follower.stdout as output:
        output.readline()  # it has read the file to its end and follows
        os.kill(identity.pid, signal.SIGKILL)
        coming = [output.readline(), output.readline()]  # the daemons may speak as well
        follower.terminate()
        follower.wait(5)
    assert any("redis was ended by SIGKILL; restart in" in line for line in coming)


def test_after_a_killed_supervisor_up_clears_what_it_left_and_keeps_the_data(conveyor: CommandLine) -> None:
    conveyor.run("up")
    assert conveyor.redis("SET greeting kept") == "+OK"
    before = conveyor.state
    time.sleep(1.2)  # the append-only file is synced every second
    os.kill(before.supervisor.pid, signal.SIGKILL)
    assert "redis" in alive(before)
    assert "cleared" in conveyor.run("up")
    assert alive(before) == []
    assert conveyor.redis("GET greeting") == "kept"


def test_after_a_killed_supervisor_down_clears_what_it_left(conveyor: CommandLine) -> None:
    conveyor.run("up")
    before = conveyor.state
    os.kill(before.supervisor.pid, signal.SIGKILL)
    assert "cleared" in conveyor.run("down")
    assert alive(before) == []


def test_a_process_that_reuses_a_recorded_pid_is_left_alone(conveyor: CommandLine) -> None:
    conveyor.run("up")
    conveyor.run("down")
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    try:
        file = conveyor.directory / "state.json"
        recorded = json.loads(file.read_text())
        recorded["services"]["redis"]["identity"] = {"pid": bystander.pid, "started": 1.0}
        file.write_text(json.dumps(recorded))
        conveyor.run("down")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_taken_port_is_refused_with_the_process_that_has_it(conveyor: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", conveyor.base))
        taken.listen()
        output = conveyor.run("up", code=1)
    assert f"http: port {conveyor.base} is used by process {os.getpid()} (" in output
    assert psutil.Process().cmdline()[0] in output
    assert "CONVEYOR_HTTP_PORT=" in output


def test_ctrl_c_during_the_start_leaves_nothing(conveyor: CommandLine) -> None:
    conveyor.parts = "haproxy redis"  # the database takes seconds
    # where the tests run in the background, their children would inherit that they ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = conveyor.start("up")
    deadline = time.monotonic() + 30
    while not (state := read_state(conveyor.directory)) or len(alive(state)) < 3:
        assert time.monotonic() < deadline, "the parts did not start within 30 s"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, output
    assert "stopped" in output
    assert alive(conveyor.state) == []
    assert not sessions.is_alive(state.supervisor)


def test_a_part_that_cannot_start_ends_the_start_and_is_named(conveyor: CommandLine) -> None:
    obstacle = conveyor.directory / "redis" / "appendonlydir"
    obstacle.parent.mkdir(parents=True)
    obstacle.touch()  # a file where Redis wants its directory
    output = conveyor.run("up", code=1)
    assert "error: redis ended with exit code 1\nits last lines:" in output
    assert "appendonlydir" in output
    assert alive(conveyor.state) == []
