"""Conveyor's daemons with a stock API and stock workers on them; there is nothing to relay."""

from dataclasses import replace

from stack import topology
from stack.application import Plan, python
from stack.probes import FileProbe
from stack.service import Service

LEFT_OUT = {"relay", "flower", "prometheus"}
CELERY = ("celery", "--app", "tests.chaos.stock.worker", "--quiet", "worker", "--loglevel", "WARNING")


def stock_services(plan: Plan) -> list[Service]:
    return [_stock(service, plan) for service in topology.services(plan) if service.kind not in LEFT_OUT]


def _stock(service: Service, plan: Plan) -> Service:
    if service.kind == "api":
        return replace(service, argv=python("tests.chaos.stock.api"))
    if service.kind == "worker":
        ready_file = plan.directory / "run" / f"{service.name}.ready"
        argv = python(*CELERY, "--hostname", f"{service.name}@%h")
        return replace(service, argv=argv, ready=FileProbe(ready_file, None))
    return service
