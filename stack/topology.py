"""Conveyor's services on one machine: what starts, with which settings, after what."""

import sys
from dataclasses import dataclass
from pathlib import Path

from stack.credentials import Credentials
from stack.daemons import haproxy, mysql, prometheus, redis
from stack.packages import Daemons
from stack.ports import Ports
from stack.probes import ExitProbe, HttpProbe, MysqlProbe, RedisProbe
from stack.service import Service

DATABASE = "loadbalancer_db"
APP_USER = "conveyor"
ADMIN_USER = "conveyor_admin"
FLOWER_USER = "conveyor"
AGENTS = tuple(f"agent-{ordinal}" for ordinal in mysql.ORDINALS)


@dataclass(frozen=True)
class Plan:
    """What one stack is made from."""

    directory: Path
    ports: Ports
    credentials: Credentials
    daemons: Daemons


def services(plan: Plan) -> list[Service]:
    members = [service for ordinal in mysql.ORDINALS for service in _member(plan, ordinal)]
    return [*members, _redis(plan), _haproxy(plan), _prometheus(plan)]


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)


def _member(plan: Plan, ordinal: int) -> list[Service]:
    file = mysql.configure(ordinal, plan.directory, plan.ports, plan.credentials, plan.daemons)
    port = plan.ports[f"mysql-{ordinal}"]
    agent_env = mysql.agent_environment(ordinal, plan.directory, plan.ports, plan.credentials)
    init_env = {**agent_env, **_admin(plan), **mysql.initialize_environment(file, plan.daemons)}
    init, server, agent = f"mysql-init-{ordinal}", f"mysql-{ordinal}", f"agent-{ordinal}"
    health = HttpProbe(plan.ports[agent], "/ready")
    return [
        Service(
            init, _python("mysql_agent.initialize"), ExitProbe(), init_env, once=True, deadline_seconds=120
        ),
        # crash recovery of a large data directory takes its time
        Service(
            server,
            mysql.server_argv(file, plan.daemons),
            MysqlProbe(port),
            needs=(init,),
            deadline_seconds=120,
            grace_seconds=30,
        ),
        Service(agent, _python("mysql_agent"), health, agent_env, needs=(init,), deadline_seconds=150),
    ]


def _redis(plan: Plan) -> Service:
    argv = redis.configure(plan.directory, plan.ports, plan.credentials, plan.daemons)
    return Service("redis", argv, RedisProbe(plan.ports["redis"], plan.credentials.redis_password))


def _haproxy(plan: Plan) -> Service:
    argv = haproxy.configure(plan.directory, plan.ports, plan.daemons)
    return Service("haproxy", argv, HttpProbe(plan.ports["haproxy-stats"], "/healthz"))


def _prometheus(plan: Plan) -> Service:
    argv = prometheus.configure(plan.directory, plan.ports, plan.daemons)
    return Service("prometheus", argv, HttpProbe(plan.ports["prometheus"], "/-/ready"))


def _admin(plan: Plan) -> dict[str, str]:
    return {
        "DB_NAME": DATABASE,
        "DB_ADMIN_USER": ADMIN_USER,
        "DB_ADMIN_PASSWORD": plan.credentials.admin_password,
    }
