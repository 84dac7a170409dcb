"""How pods start, are looked at, and end."""

import re
from pathlib import Path

from pydantic import SecretStr

from app.settings import Settings
from app.tasks.registry import TaskRegistry
from chart.manifests import Manifests
from chart.presets import PRESETS, Preset
from chart.rendering import CHART, render
from worker.celery_app import create_celery
from worker.outcome import Outcome


def test_everything_that_stays_is_looked_at(manifests: Manifests) -> None:
    for pod in manifests.pods:
        if pod.owner.startswith(("Deployment", "StatefulSet")):
            container = pod.spec.containers[0]
            probes = (container.startup_probe, container.readiness_probe, container.liveness_probe)
            assert None not in probes, pod.owner


def test_a_worker_is_looked_at_without_starting_a_python() -> None:
    (worker,) = PRESETS["default"].rendered().pods_of("worker")
    container = worker.container("worker")
    commands = [
        probe.model_dump(by_alias=True)["exec"]["command"]
        for probe in (container.startup_probe, container.readiness_probe, container.liveness_probe)
        if probe
    ]
    assert [command[0] for command in commands] == ["test", "test", "sh"]
    env = {variable.name: variable.value for variable in container.env or []}
    assert env["WORKER_READY_FILE"] in commands[0]
    assert str(env["WORKER_HEARTBEAT_FILE"]) in commands[2][2]


def test_a_worker_may_sit_out_an_outage_of_redis() -> None:
    (worker,) = PRESETS["default"].rendered().pods_of("worker")
    liveness, startup = worker.container("worker").liveness_probe, worker.container("worker").startup_probe
    assert liveness
    assert startup
    assert int(startup.period_seconds or 0) * int(startup.failure_threshold or 0) >= 1800
    command = liveness.model_dump(by_alias=True)["exec"]["command"][2]
    assert int(re.findall(r"-lt (\d+)", command)[0]) >= 180


def test_a_worker_gets_more_time_than_its_tasks_are_given() -> None:
    for values, expected in (({}, 45), ({"settings": {"WORKER_SOFT_SHUTDOWN_SECONDS": 300}}, 320)):
        (worker,) = render(values).pods_of("worker")
        assert worker.spec.termination_grace_period_seconds == expected


def test_the_api_gets_more_time_than_its_requests_are_given() -> None:
    longer = {"settings": {"SHUTDOWN_GRACE_SECONDS": 60, "API_DRAIN_SECONDS": 15}}
    for values, expected in (({}, 35), (longer, 85)):
        (api,) = render(values).pods_of("api")
        assert api.spec.termination_grace_period_seconds == expected


def test_the_times_that_the_templates_reckon_with_are_those_of_the_code() -> None:
    text = (CHART / "templates" / "_env.tpl").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "$defaults := dict" in line)
    defaults = dict(re.findall(r'"([A-Z_]+)" "?(\w+)"?', line))
    assert defaults == {name: f"{Settings.model_fields[name.lower()].default}" for name in defaults}
    assert set(defaults) == {
        "TASK_QUEUE",
        "API_DRAIN_SECONDS",
        "SHUTDOWN_GRACE_SECONDS",
        "WORKER_SOFT_SHUTDOWN_SECONDS",
    }


def test_a_member_has_time_to_hand_over_and_then_to_stop() -> None:
    (mysql,) = PRESETS["default"].rendered().pods_of("mysql")
    script = (CHART / "files" / "mysql" / "hand-over.sh").read_text(encoding="utf-8")
    longest = int(re.findall(r"tries=(\d+)", script)[0]) * 0.5
    assert longest == 20
    assert mysql.spec.termination_grace_period_seconds
    assert mysql.spec.termination_grace_period_seconds >= 3 * longest


def test_the_agent_starts_before_its_server_and_ends_after_it() -> None:
    (mysql,) = PRESETS["default"].rendered().pods_of("mysql")
    restart = {container.name: container.restart_policy for container in mysql.containers}
    assert restart == {"accounts": None, "initialize": None, "agent": "Always", "mysql": None}


def test_a_members_part_in_the_group_decides_over_traffic_and_never_over_restarts() -> None:
    (mysql,) = PRESETS["default"].rendered().pods_of("mysql")
    container = mysql.container("mysql")
    assert container.readiness_probe
    assert container.readiness_probe.http_get
    assert container.readiness_probe.http_get.path == "/ready"
    for probe in (container.startup_probe, container.liveness_probe):
        assert probe
        assert "mysqladmin" in probe.model_dump(by_alias=True)["exec"]["command"]
    agent = mysql.container("agent")
    assert agent.liveness_probe
    assert agent.liveness_probe.http_get
    assert agent.liveness_probe.http_get.path == "/live"


def test_all_members_start_at_once_and_find_each_other_before_they_are_ready() -> None:
    names = PRESETS["default"].rendered().named()
    assert names["StatefulSet/demo-conveyor-mysql"]["spec"]["podManagementPolicy"] == "Parallel"
    headless = names["Service/demo-conveyor-mysql"]["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)


def test_api_workers_and_relays_wait_for_the_tables(manifests: Manifests) -> None:
    for pod in manifests.pods:
        names = [container.name for container in pod.spec.init_containers or []]
        waits = pod.component in {"api", "worker", "relay", "backup", "restore"}
        assert ("wait-for-migrations" in names) == waits, pod.owner


def test_files_are_written_to_tmp_and_volumes_alone(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            assert "/tmp" in {mount.mount_path for mount in container.volume_mounts or []}, container.name  # noqa: S108 - the emptyDir of the pod
            for variable in container.env or []:
                if variable.name.endswith("_FILE"):
                    folder = str(Path(str(variable.value)).parent)
                    assert folder in {mount.mount_path for mount in container.volume_mounts or []}


def test_a_worker_replaces_a_greedy_process_before_the_kernel_kills_it(preset: Preset) -> None:
    kibibytes = create_celery(
        Settings(db_password=SecretStr("unused")), TaskRegistry([]), lambda *_: Outcome.SUCCEEDED
    ).conf.worker_max_memory_per_child
    for worker in preset.rendered().pods_of("worker"):
        container = worker.container("worker")
        env = {variable.name: variable.value for variable in container.env or []}
        resources = container.resources
        assert resources
        memory = str((resources.limits or {})["memory"])
        mebibytes = {"Mi": 1, "Gi": 1024}[memory[-2:]] * int(memory[:-2])
        assert mebibytes * 1024 > kibibytes * int(str(env["WORKER_CONCURRENCY"]))
