"""What becomes of tasks, by task and by queue: waits, runs, outcomes, losses, publishing."""

from grafana.board import Board, Row, choice
from grafana.panels import OUTCOMES, Column, above, graph, rows_by, tile
from grafana.promql import (
    PART,
    PART_LEGEND,
    grown,
    highest,
    or_nothing,
    per_second,
    quantile,
    total,
)

TASK = 'task=~"$task"'
QUEUE = 'queue=~"$queue"'
KIND = f"{TASK}, {QUEUE}"
WAIT, RUN, DONE = "task_queue_wait_seconds", "task_duration_seconds", "task_accepted_to_done_seconds"


def tasks() -> Board:
    """Return the dashboard of tasks and queues."""
    return Board(
        "conveyor-tasks",
        "Tasks",
        "Where tasks spend their time and how they end, by task and by queue.",
        (_totals(), _by_task(), _by_queue(), _repeated(), _publishing()),
        choices=(choice("task", "Task", "tasks_total"), choice("queue", "Queue", "queue_depth")),
    )


def _totals() -> Row:
    return Row(
        "In the time shown",
        tile(
            "Accepted",
            "Tasks promised with 202, of all queues.",
            "short",
            or_nothing(grown("tasks_accepted_total", where=TASK)),
        ),
        tile("Succeeded", "Tasks that took effect.", "short", _ended("succeeded")),
        tile(
            "Failed",
            "Tasks that failed for good. Replay them when the cause is gone.",
            "short",
            _ended("failed"),
            above(red=0.5),
            runbook="ConveyorTasksFailed",
        ),
        tile(
            "Retries",
            "Attempts that failed and are followed by another.",
            "short",
            or_nothing(grown("task_retries_total", where=KIND)),
            above(orange=0.5),
            runbook="ConveyorTasksRetried",
        ),
        tile(
            "Redeliveries",
            "Messages that came a second time because whoever had them did not acknowledge them.",
            "short",
            or_nothing(grown("task_redeliveries_total", where=QUEUE)),
            above(orange=0.5),
            runbook="ConveyorTasksRedelivered",
        ),
        tile(
            "Republished",
            "Messages that were lost on their way and published again.",
            "short",
            or_nothing(grown("tasks_republished_total")),
            above(orange=0.5),
            runbook="ConveyorTasksRepublished",
        ),
        tile(
            "Waiting",
            "Messages in the queues at this moment.",
            "short",
            f"sum ({highest('queue_depth', 'queue', where=QUEUE)})",
        ),
        tile("Running", "Tasks that run at this moment.", "short", total("worker_tasks_running", where=KIND)),
    )


def _by_task() -> Row:
    return Row(
        "By task",
        rows_by(
            "task",
            "Every task",
            "Wait: from due to start. Run: from start to end of an attempt. Done: from 202 to success.",
            (
                Column("accepted", "short", grown("tasks_accepted_total", "task", where=TASK), 0),
                Column("succeeded", "short", _ended("succeeded", "task"), 0),
                Column("failed", "short", _ended("failed", "task"), 0),
                Column("retries", "short", grown("task_retries_total", "task", where=KIND), 0),
                Column("wait, 95 %", "s", quantile(0.95, WAIT, "task", where=KIND, over="$__range")),
                Column("run, 95 %", "s", quantile(0.95, RUN, "task", where=KIND, over="$__range")),
                Column("done, 95 %", "s", quantile(0.95, DONE, "task", where=KIND, over="$__range")),
            ),
        ),
        graph(
            "Attempts by outcome",
            "How attempts ended. Skipped: the task had been done already, or somebody else runs it.",
            "ops",
            {"{{outcome}}": per_second("tasks_total", "outcome", where=KIND)},
            colours=OUTCOMES,
            stacked=True,
        ),
        graph(
            "Succeeded, by task",
            "Tasks that took effect.",
            "ops",
            {"{{task}}": per_second("tasks_total", "task", where=f'{KIND}, outcome="succeeded"')},
            stacked=True,
        ),
        graph(
            "In flight",
            "Tasks that run, by worker. A worker at its WORKER_CONCURRENCY takes no more.",
            "short",
            {PART_LEGEND: total("worker_tasks_running", *PART, where=KIND)},
            stacked=True,
            steps=True,
        ),
        graph(
            "Wait in the queue, 95 %",
            "From due to start, by task: what more workers would shorten.",
            "s",
            {"{{task}}": quantile(0.95, WAIT, "task", where=KIND)},
            runbook="ConveyorQueueWaits",
        ),
        graph(
            "Run, 95 %",
            "From start to end of an attempt, by task, whatever its outcome.",
            "s",
            {"{{task}}": quantile(0.95, RUN, "task", where=KIND)},
        ),
        graph(
            "From accepted to done, 95 %",
            "From the 202 to success, by task, with all waits and attempts.",
            "s",
            {"{{task}}": quantile(0.95, DONE, "task", where=KIND)},
            runbook="ConveyorTaskLatencyBudget",
        ),
    )


def _by_queue() -> Row:
    return Row(
        "By queue",
        graph(
            "Messages that wait",
            "In Redis, not yet taken by a worker.",
            "short",
            {"{{queue}}": highest("queue_depth", "queue", where=QUEUE)},
        ),
        graph(
            "Age of the oldest",
            "Of the message that is next. It grows where workers are missing, however short the queue is.",
            "s",
            {"{{queue}}": highest("queue_oldest_age_seconds", "queue", where=QUEUE)},
            runbook="ConveyorQueueWaits",
        ),
        graph(
            "Wait, 95 %",
            "From due to start, by queue.",
            "s",
            {"{{queue}}": quantile(0.95, WAIT, "queue", where=KIND)},
            runbook="ConveyorQueueWaits",
        ),
    )


def _repeated() -> Row:
    return Row(
        "Repeated, lost and caught",
        graph(
            "Attempts to be repeated",
            "Attempts that failed and are followed by another, by task.",
            "ops",
            {"{{task}}": per_second("task_retries_total", "task", where=KIND)},
            runbook="ConveyorTasksRetried",
            wide=6,
        ),
        graph(
            "Attempts until the end",
            "Mean of the attempts that a task took until it succeeded or failed for good; 1 is best.",
            "short",
            {
                "{{task}}": (
                    f"{per_second('task_attempts_sum', 'task', where=KIND)}"
                    f" / ({per_second('task_attempts_count', 'task', where=KIND)} > 0)"
                )
            },
            wide=6,
        ),
        graph(
            "Redeliveries and skips",
            "Messages that came a second time, by queue, and messages that were left alone, by reason.",
            "ops",
            {
                "again: {{queue}}": per_second("task_redeliveries_total", "queue", where=QUEUE),
                "left: {{reason}}": per_second("task_skips_total", "reason"),
            },
            runbook="ConveyorTasksRedelivered",
            wide=6,
        ),
        graph(
            "Leases, reruns and lost processes",
            "Leases that were not renewed, transactions that ran again, processes that died under a task.",
            "ops",
            {
                "lease not renewed": per_second("worker_lease_renewal_failures_total"),
                "message not kept": per_second("worker_visibility_renewal_failures_total"),
                "transaction run again": per_second("task_transaction_reruns_total"),
                "process lost": per_second("worker_processes_lost_total"),
            },
            runbook="ConveyorLeasesNotRenewed",
            wide=6,
        ),
    )


def _publishing() -> Row:
    return Row(
        "Outbox and publishing",
        graph(
            "Promised and not published",
            "Due tasks that are in the ledger and in no queue.",
            "short",
            {"pending": highest("outbox_pending")},
            runbook="ConveyorOutboxStalled",
            wide=6,
        ),
        graph(
            "Age of the oldest of them",
            "Above a second the API did not publish; above a minute the relays do not either.",
            "s",
            {"oldest": highest("outbox_oldest_age_seconds")},
            runbook="ConveyorOutboxStalled",
            wide=6,
        ),
        graph(
            "Published",
            "Messages put into a queue by API and relays, and those that were lost and published again.",
            "ops",
            {
                "{{queue}}": per_second("tasks_published_total", "queue", where=QUEUE),
                "again: {{reason}}": per_second("tasks_republished_total", "reason"),
                "messages that failed": per_second("task_publish_failures_total"),
            },
            runbook="ConveyorPublishFailures",
            wide=6,
        ),
        graph(
            "Time to publish a batch",
            "How long Redis takes to accept a batch of messages.",
            "s",
            {
                "median": quantile(0.5, "task_publish_seconds"),
                "99 %": quantile(0.99, "task_publish_seconds"),
            },
            wide=6,
        ),
    )


def _ended(outcome: str, *by: str) -> str:
    counted = grown("tasks_total", *by, where=f'{KIND}, outcome="{outcome}"')
    return counted if by else or_nothing(counted)
