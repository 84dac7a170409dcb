"""Conveyor's own processes: migrations, API, workers, relays and Flower."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from stack.credentials import Credentials
from stack.daemons.mysql import CA, ORDINALS, tls_directory
from stack.packages import Daemons
from stack.place import HERE, Place, Places
from stack.ports import Ports
from stack.probes import AllProbes, ExitProbe, FileProbe, HttpProbe, RotationProbe
from stack.service import Service

DATABASE = "loadbalancer_db"
APP_USER = "conveyor"
ADMIN_USER = "conveyor_admin"
FLOWER_USER = "conveyor"
# Python takes seconds to load them: they do so while the MySQL servers form their group and migrations run.
SERVERS = ("redis", "mysql-0", "mysql-1", "mysql-2")
START_SECONDS = 180
# HAProxy asks once a second, and a busy machine may delay it
DRAIN_SECONDS = 3
# All of them write until their end, so what they write to stops after them.
DATA = ("haproxy", "redis", "migrate")


@dataclass(frozen=True)
class Plan:
    """What one stack is made from."""

    directory: Path
    ports: Ports
    credentials: Credentials
    daemons: Daemons
    places: Places = field(default_factory=dict)

    def place(self, name: str) -> Place:
        return self.places.get(name, HERE)


def services(plan: Plan) -> list[Service]:
    names = [name for name in plan.ports if name.rpartition("-")[0] in MAKERS]
    return [_migrate(plan), *(MAKERS[name.rpartition("-")[0]](plan, name) for name in names), _flower(plan)]


def python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)


def admin_environment(plan: Plan) -> dict[str, str]:
    return {
        "DB_NAME": DATABASE,
        "DB_ADMIN_USER": ADMIN_USER,
        "DB_ADMIN_PASSWORD": plan.credentials.admin_password,
    }


def _environment(plan: Plan, name: str) -> dict[str, str]:
    replicas = f"127.0.0.1:{plan.ports['mysql-replicas']}"
    return {
        "REPLICA_NAME": name,
        "MALLOC_ARENA_MAX": "2",  # as in the image
        "METRICS_HOST": "127.0.0.1",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(plan.ports["redis"]),
        "REDIS_DB": "0",
        "REDIS_PASSWORD": plan.credentials.redis_password,
        "DB_MASTER_HOST": f"127.0.0.1:{plan.ports['mysql-primary']}",
        "DB_SLAVE1_HOST": replicas,
        "DB_SLAVE2_HOST": replicas,
        "DB_MEMBERS": str(len(ORDINALS)),
        "DB_NAME": DATABASE,
        "DB_USER": APP_USER,
        "DB_PASSWORD": plan.credentials.app_password,
        "DB_TLS_CA": str(tls_directory(plan.directory) / CA),
        "SECRET_KEY": plan.credentials.secret_key,
    }


def _migrate(plan: Plan) -> Service:
    env = {**_environment(plan, "migrate"), **admin_environment(plan), "SEED_DEMO_USERS": "true"}
    return Service(
        "migrate",
        python("app.migrations"),
        ExitProbe(),
        env,
        needs=("haproxy",),
        once=True,
        deadline_seconds=120,
    )


def _api(plan: Plan, name: str) -> Service:
    port = plan.ports[name]
    env = {
        **_environment(plan, name),
        "API_HOST": "127.0.0.1",
        "API_PORT": str(port),
        "API_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "PROMETHEUS_URL": f"http://localhost:{plan.ports['prometheus']}/",
    }
    in_rotation = RotationProbe(plan.ports["haproxy-stats"], "api", name)
    ready = AllProbes((HttpProbe(port, "/readyz"), in_rotation))
    return Service(
        name,
        python("app"),
        ready,
        env,
        needs=SERVERS,
        uses=DATA,
        deadline_seconds=START_SECONDS,
        grace_seconds=30,
    )


def _worker(plan: Plan, name: str) -> Service:
    port, run = plan.ports[name], plan.directory / "run"
    run.mkdir(parents=True, exist_ok=True)
    heartbeat, ready_file = run / f"{name}.heartbeat", run / f"{name}.ready"
    env = {
        **_environment(plan, name),
        "WORKER_METRICS_PORT": str(port),
        "WORKER_HEARTBEAT_FILE": str(heartbeat),
        "WORKER_READY_FILE": str(ready_file),
    }
    return Service(
        name,
        python("worker"),
        AllProbes((HttpProbe(port, "/metrics"), FileProbe(ready_file, None), FileProbe(heartbeat))),
        env,
        needs=SERVERS,
        uses=DATA,
        deadline_seconds=START_SECONDS,
        stale_files=(heartbeat, ready_file),
        grace_seconds=35,
    )


def _relay(plan: Plan, name: str) -> Service:
    port = plan.ports[name]
    env = {**_environment(plan, name), "RELAY_METRICS_PORT": str(port)}
    ready = HttpProbe(port, "/readyz")
    return Service(
        name,
        python("worker.relay"),
        ready,
        env,
        # It loads while migrations run. Without a primary its first passes would fail, and without the tables
        # of the first start one or two do: after each it pauses, so it does not start with the others.
        needs=("haproxy",),
        uses=DATA,
        grace_seconds=15,
    )


def _flower(plan: Plan) -> Service:
    port = plan.ports["flower"]
    env = {
        **_environment(plan, "flower"),
        "FLOWER_HOST": "127.0.0.1",
        "FLOWER_PORT": str(port),
        "FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{plan.credentials.flower_password}",
    }
    ready = HttpProbe(port, "/flower/healthcheck")
    return Service("flower", python("worker.flower"), ready, env, needs=("redis",), uses=DATA)


MAKERS = {"api": _api, "worker": _worker, "relay": _relay}
