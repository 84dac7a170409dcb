"""The peers: how each is started, and what its documentation promises where a worker dies."""

from typing import NamedTuple


class Peer(NamedTuple):
    """One task queue; a command that is told no number of processes is started for each of them."""

    name: str
    worker: tuple[str, ...]
    parallel: str
    promise: str
    recovery: str

    def commands(self, processes: int) -> list[list[str]]:
        """Return what has to be started for a number of worker processes."""
        told = any("{processes}" in part for part in self.worker)
        copies = range(1 if told else processes)
        return [
            [part.format(number=number, processes=processes) for part in self.worker] for number in copies
        ]


PEERS = (
    Peer(
        "celery",
        ("celery", "-A", "tasks", "worker", "--concurrency=2", "--loglevel=WARNING", "-n", "{number}@%h"),
        "2 children",
        "with late acknowledgement at least once; tasks should be idempotent",
        "visibility time-out",
    ),
    Peer(
        "dramatiq",
        ("dramatiq", "tasks", "--processes", "{processes}", "--threads", "8"),
        "8 threads",
        "at least once; actors should be idempotent",
        "heartbeat time-out",
    ),
    Peer(
        "taskiq",
        ("taskiq", "worker", "tasks:broker", "--workers", "{processes}", "--log-level", "WARNING"),
        "up to 100 coroutines",
        "the stream broker acknowledges after the task; orphans are looked for after new messages only",
        "idle time-out",
    ),
    Peer(
        "arq",
        ("arq", "tasks.WorkerSettings"),
        "up to 10 coroutines",
        "jobs may run more than once: design them to be idempotent",
        "job time-out",
    ),
    Peer(
        "streaq",
        ("streaq", "run", "tasks:worker", "--workers", "{processes}"),
        "up to 16 coroutines",
        "tasks of a lost worker are run again; they should be idempotent",
        "idle time-out",
    ),
)
