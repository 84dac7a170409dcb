"""`python -m bench.generators.noop_worker fill|work PORT …`: tasks that do nothing, and a worker for them.

The worker has the project's own configuration of Celery, but for the transport and the prefetch.
"""

import sys
from dataclasses import replace

from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from app.database.sessions import WriteSession
from app.metrics import PublishMetrics
from app.settings import Settings
from app.tasks.broker import Broker, Message
from app.tasks.registry import TaskRegistry, task
from worker.celery_app import create_celery
from worker.delivery.lease import visibility_lease
from worker.outcome import Outcome


class Nothing(BaseModel):
    pass


@task("nothing")
def nothing(session: WriteSession, payload: Nothing) -> None:
    del session, payload


def settings_for(port: int) -> Settings:
    return Settings.model_validate({"redis_host": "127.0.0.1", "redis_port": port, "db_password": "none"})


def fill(port: int, count: int) -> None:
    settings = settings_for(port)
    broker = Broker(settings, PublishMetrics(CollectorRegistry()))
    broker.publish([Message(f"bench-{number}", "nothing", settings.task_queue) for number in range(count)])
    broker.close()


def work(port: int, transport: str, prefetch: int, batch_size: int | None = None) -> None:
    tasks = TaskRegistry([replace(nothing, batch_size=batch_size)])
    celery = create_celery(settings_for(port), tasks, lambda *_: Outcome.SUCCEEDED, lambda *_: ())
    celery.conf.update(broker_transport=transport, worker_prefetch_multiplier=prefetch)
    celery.steps["consumer"].add(visibility_lease(lambda: None))
    options = ("--without-gossip", "--without-mingle", "--loglevel=ERROR", "--optimization=fair")
    celery.worker_main(["worker", *options])


if __name__ == "__main__":
    action, port, *others = sys.argv[1:]
    if action == "fill":
        fill(int(port), int(others[0]))
    else:
        work(int(port), others[0], *map(int, others[1:]))
