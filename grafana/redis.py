"""Redis: does it keep what it took, how full is it, and what is in it."""

from grafana.board import Board, Row
from grafana.panels import above, below, graph, tile
from grafana.promql import highest, lowest, per_second, quantile, select

ONE_IS_GOOD = {0: "no", 1: "yes"}


def redis() -> Board:
    """Return the dashboard of Redis; the relays ask it, so it shows what they see."""
    return Board(
        "conveyor-redis",
        "Redis",
        "Does Redis keep what it took, how full is it, and what is in it? As the relays see it.",
        (_state(), _memory(), _queues(), _messages()),
    )


def _state() -> Row:
    return Row(
        "State",
        tile(
            "Answers",
            "Whether Redis answered the relays' last question.",
            "short",
            highest("redis_up"),
            below(red=1),
            words=ONE_IS_GOOD,
            runbook="ConveyorRedisDown",
        ),
        tile("Up for", "Time since Redis started.", "s", highest("redis_uptime_seconds")),
        tile(
            "Memory used",
            "Share of maxmemory. When it is full, Redis refuses messages and they wait in the ledger.",
            "percentunit",
            f"{highest('redis_memory_used_bytes')} / ({highest('redis_memory_max_bytes')} > 0)",
            above(orange=0.7, red=0.8),
            otherwise="no limit",
            runbook="ConveyorRedisMemory",
        ),
        tile(
            "Append-only file",
            "Whether Redis writes what it takes to its disk. If not, relays republish after a restart.",
            "short",
            lowest("redis_aof_enabled"),
            below(red=1),
            words={0: "off", 1: "on"},
            runbook="ConveyorRedisAofOff",
        ),
        tile(
            "Last write kept",
            "Whether the last write to the append-only file succeeded.",
            "short",
            lowest("redis_aof_last_write_ok"),
            below(red=1),
            words=ONE_IS_GOOD,
            runbook="ConveyorRedisNotPersisted",
        ),
        tile(
            "Evicted keys",
            "Keys that Redis threw away in the time shown. Must stay 0: they were messages.",
            "short",
            f"max (increase({select('redis_evicted_keys_total')}[$__range]))",
            above(red=0.5),
            runbook="ConveyorRedisEvicts",
        ),
        tile(
            "Clients",
            "Connections of API, workers, relays and Flower.",
            "short",
            highest("redis_connected_clients"),
        ),
        tile(
            "Unacknowledged",
            "Messages that are taken and not yet acknowledged.",
            "short",
            highest("unacked_depth"),
        ),
    )


def _memory() -> Row:
    return Row(
        "Memory, disk and clients",
        graph(
            "Memory",
            "What Redis uses, and what it may use: maxmemory, without limit if it is missing.",
            "bytes",
            {
                "used": highest("redis_memory_used_bytes"),
                "maxmemory": f"{highest('redis_memory_max_bytes')} > 0",
            },
            colours={"maxmemory": "red"},
            runbook="ConveyorRedisMemory",
            wide=6,
        ),
        graph(
            "Size of the append-only file",
            "It falls when Redis rewrites the file.",
            "bytes",
            {"size": highest("redis_aof_size_bytes")},
            wide=6,
        ),
        graph(
            "Rewrites and what failed",
            "1 while the append-only file is rewritten, and 1 while its last write or rewrite had failed.",
            "short",
            {
                "rewrite in progress": highest("redis_aof_rewrite_in_progress"),
                "last write failed": f"1 - {lowest('redis_aof_last_write_ok')}",
                "last rewrite failed": f"1 - {lowest('redis_aof_last_rewrite_ok')}",
            },
            colours={"last write failed": "red", "last rewrite failed": "orange"},
            steps=True,
            runbook="ConveyorRedisNotPersisted",
            wide=6,
        ),
        graph(
            "Connections",
            "Connections of API, workers, relays and Flower.",
            "short",
            {"connected": highest("redis_connected_clients")},
            wide=6,
        ),
    )


def _queues() -> Row:
    return Row(
        "What is in it",
        graph(
            "Messages that wait",
            "By queue, not yet taken by a worker.",
            "short",
            {"{{queue}}": highest("queue_depth", "queue")},
        ),
        graph(
            "Age of the oldest",
            "Of the message that is next, by queue.",
            "s",
            {"{{queue}}": highest("queue_oldest_age_seconds", "queue")},
            runbook="ConveyorQueueWaits",
        ),
        graph(
            "Held by workers",
            "Messages that are taken and not yet acknowledged. They come back when their worker dies.",
            "short",
            {"unacknowledged": highest("unacked_depth")},
        ),
    )


def _messages() -> Row:
    return Row(
        "How it does",
        graph(
            "Messages in",
            "Published by API and relays, by queue.",
            "ops",
            {"{{queue}}": per_second("tasks_published_total", "queue")},
        ),
        graph(
            "Messages that came again",
            "Redeliveries, by queue: whoever had them did not acknowledge them.",
            "ops",
            {"{{queue}}": per_second("task_redeliveries_total", "queue")},
            runbook="ConveyorTasksRedelivered",
        ),
        graph(
            "Time to publish a batch",
            "How long Redis takes to accept a batch of messages.",
            "s",
            {
                "median": quantile(0.5, "task_publish_seconds"),
                "99 %": quantile(0.99, "task_publish_seconds"),
            },
        ),
    )
