"""The price of a task, part by part."""

from bench.scenarios.costs import Counted, figures_of
from bench.usage import Load, Usage

USAGES = {
    "api-1": Usage("api", 1, 1, 2.0),
    "api-2": Usage("api", 2, 1, 1.0),
    "worker-1 parent": Usage("worker parents", 3, 1, 0.5),
    "worker-1 children": Usage("worker children", 4, 2, 1.5),
    "mysql-0": Usage("mysqld", 5, 1, 1.0),
    "mysql-1": Usage("mysqld", 6, 1, 4.0),
    "mysql-2": Usage("mysqld", 7, 1, 2.0),
    "redis": Usage("redis", 8, 1, 0.1),
    "haproxy": Usage("haproxy", 9, 1, 0.3),
}


def test_each_part_is_charged_by_the_task_and_the_primary_apart_from_its_replicas() -> None:
    load = Load(seconds=10, cores=2, tasks=1000, busy_seconds=12, disk_wait_seconds=0, usages=USAGES)
    before, after = Counted(100, 10, 5_000, 40_000), Counted(9_100, 160, 2_005_000, 1_540_000)

    figures = {figure.what: figure.value for figure in figures_of(load, before, after, "mysql-1")}

    assert figures == {
        "CPU of the API": "3.00 ms",
        "CPU of the workers": "2.00 ms",
        "CPU of the primary": "4.00 ms",
        "CPU of each replica": "1.50 ms",
        "CPU of Redis": "0.10 ms",
        "CPU of HAProxy": "0.30 ms",
        "commands of Redis": "9.0",
        "transactions on the primary": "0.15",
        "bytes of the binary log": "2000",
        "bytes in the tables and their indexes": "1500",
    }
