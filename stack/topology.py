"""Conveyor's services on one machine: what starts, with which settings, after what."""

from stack import application
from stack.application import Plan
from stack.daemons import haproxy, mysql, prometheus, redis
from stack.probes import AllProbes, ExitProbe, HttpProbe, MysqlProbe, RedisProbe
from stack.service import Service

AGENTS = tuple(f"agent-{ordinal}" for ordinal in mysql.ORDINALS)


def services(plan: Plan) -> list[Service]:
    members = [service for ordinal in mysql.ORDINALS for service in _member(plan, ordinal)]
    return [
        _certificates(plan),
        *members,
        _redis(plan),
        _haproxy(plan),
        _prometheus(plan),
        *application.services(plan),
    ]


def _member(plan: Plan, ordinal: int) -> list[Service]:
    hosts, place = _hosts(plan), plan.place(f"mysql-{ordinal}")
    file = mysql.configure(ordinal, plan.directory, plan.ports, plan.credentials, plan.daemons, hosts)
    port = plan.ports[f"mysql-{ordinal}"]
    agent_env = mysql.agent_environment(ordinal, plan.directory, plan.ports, plan.credentials, hosts)
    init_env = {
        **agent_env,
        **application.admin_environment(plan),
        **mysql.initialize_environment(file, plan.daemons),
    }
    init, server, agent = f"mysql-init-{ordinal}", f"mysql-{ordinal}", f"agent-{ordinal}"
    health = HttpProbe(plan.ports[agent], "/ready", place.host)
    return [
        Service(
            init,
            place.enter + application.python("mysql_agent.initialize"),
            ExitProbe(),
            init_env,
            needs=("certificates",),
            once=True,
            deadline_seconds=120,
        ),
        # crash recovery of a large data directory takes its time
        Service(
            server,
            place.enter + mysql.server_argv(file, plan.daemons),
            MysqlProbe(port, place.host),
            needs=(init,),
            deadline_seconds=120,
            grace_seconds=20,
        ),
        Service(
            agent,
            place.enter + application.python("mysql_agent"),
            health,
            agent_env,
            needs=(init,),
            uses=(server,),
            deadline_seconds=150,
        ),
    ]


def _hosts(plan: Plan) -> list[str]:
    return [plan.place(f"mysql-{ordinal}").host for ordinal in mysql.ORDINALS]


def _certificates(plan: Plan) -> Service:
    env = mysql.certificates_environment(plan.directory, _hosts(plan))
    return Service("certificates", application.python("certificates"), ExitProbe(), env, once=True)


def _redis(plan: Plan) -> Service:
    argv = redis.configure(plan.directory, plan.ports, plan.credentials, plan.daemons)
    return Service("redis", argv, RedisProbe(plan.ports["redis"], plan.credentials.redis_password))


def _haproxy(plan: Plan) -> Service:
    argv = haproxy.configure(plan.directory, plan.ports, plan.daemons, _hosts(plan))
    # it answers at once; to lead to a primary it waits for the agents to have elected one
    ready = AllProbes(
        (HttpProbe(plan.ports["haproxy-stats"], "/healthz"), MysqlProbe(plan.ports["mysql-primary"]))
    )
    return Service("haproxy", argv, ready, deadline_seconds=180, uses=AGENTS)


def _prometheus(plan: Plan) -> Service:
    argv = prometheus.configure(plan.directory, plan.ports, plan.daemons)
    return Service("prometheus", argv, HttpProbe(plan.ports["prometheus"], "/-/ready"))
