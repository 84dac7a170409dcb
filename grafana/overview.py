"""Is it well? What a person on call opens first."""

from grafana.board import Board, Row
from grafana.panels import OUTCOMES, above, alerts, below, graph, tile
from grafana.promql import (
    MEMBER,
    MEMBER_LEGEND,
    OF_NAMESPACE,
    each,
    grown,
    highest,
    or_nothing,
    per_second,
    quantile,
    select,
    share,
)

FIRING = f'ALERTS{{{OF_NAMESPACE}, alertname=~"Conveyor.*", alertstate="firing"}}'
ERRORS = 'status=~"5.."'
DONE = "task_accepted_to_done_seconds"
# the bucket of the objective, as Python and as Go write the number
IN_TIME = 'le=~"$task_seconds(.0)?"'
ENDED = 'outcome=~"succeeded|failed|cancelled"'
# probes and Prometheus are no users
ASKED = 'route!~"/(healthz|readyz|metrics)"'
# the stream of a task's events lasts as long as the task
QUICK = 'route!~"/(healthz|readyz|metrics)|.+/events"'


def overview() -> Board:
    """Return the dashboard that says whether anything is wrong, and with which part."""
    return Board(
        "conveyor",
        "Overview",
        "Is it well, and if not, which part is to blame? The dashboards linked above say why.",
        (_verdict(), _work(), _api(), _parts(), _trouble()),
    )


def _verdict() -> Row:
    return Row(
        "Is it well?",
        tile(
            "Alerts",
            "Alerts of Conveyor that fire now; the table at the end names them.",
            "short",
            or_nothing(f"count ({FIRING})"),
            above(red=1),
        ),
        tile(
            "Requests answered",
            "Share of the API's answers in the time shown that were no error of ours (5xx).",
            "percentunit",
            f"1 - {share('http_requests_total', ERRORS, ASKED)}",
            below(orange=0.9995, red=0.999),
            decimals=2,
            otherwise="no request",
            runbook="ConveyorApiErrorBudget",
        ),
        tile(
            "Tasks done in time",
            "Share of the successes in the time shown that came within ${task_seconds} s of the 202.",
            "percentunit",
            f"{grown(f'{DONE}_bucket', where=IN_TIME)} / ({grown(f'{DONE}_count')} > 0)",
            below(orange=0.99, red=0.95),
            decimals=2,
            otherwise="no task",
            runbook="ConveyorTaskLatencyBudget",
        ),
        tile(
            "Oldest in a queue",
            "Age of the oldest message that waits for a worker.",
            "s",
            highest("queue_oldest_age_seconds"),
            above(orange=60, red=300),
            runbook="ConveyorQueueWaits",
        ),
        tile(
            "Oldest unpublished",
            "How long the oldest promised task has been due without being in a queue.",
            "s",
            highest("outbox_oldest_age_seconds"),
            above(orange=10, red=60),
            runbook="ConveyorOutboxStalled",
        ),
        tile(
            "Workers",
            "Workers that said within the last ten seconds that they are alive.",
            "short",
            highest("workers_alive"),
            below(red=1),
            runbook="ConveyorNoWorker",
        ),
        tile(
            "Members missing",
            "MySQL servers that the group should have and that are not ONLINE.",
            "short",
            f"{highest('mysql_agent_members')} - {highest('mysql_agent_members_online')}",
            above(orange=1, red=2),
            runbook="ConveyorMysqlMemberMissing",
        ),
        tile(
            "Redis",
            "Whether Redis answers. Without it tasks are accepted and wait.",
            "short",
            highest("redis_up"),
            below(red=1),
            words={0: "down", 1: "up"},
            runbook="ConveyorRedisDown",
        ),
    )


def _work() -> Row:
    return Row(
        "Work",
        graph(
            "Accepted and done",
            "Tasks promised with 202, and what became of them. The two lines are one when all is well.",
            "ops",
            {
                "accepted": per_second("tasks_accepted_total"),
                "{{outcome}}": per_second("tasks_total", "outcome", where=ENDED),
            },
            colours={**OUTCOMES, "accepted": "blue"},
        ),
        graph(
            "From accepted to done",
            "How long a task takes from its 202 to its success, as users feel it.",
            "s",
            {
                "median": quantile(0.5, DONE),
                "95 %": quantile(0.95, DONE),
                "99 %": quantile(0.99, DONE),
            },
            runbook="ConveyorTaskLatencyBudget",
        ),
        graph(
            "What waits longest",
            "Age of the oldest message of each queue, and of the oldest task that is not published.",
            "s",
            {
                "{{queue}}": highest("queue_oldest_age_seconds", "queue"),
                "not published": highest("outbox_oldest_age_seconds"),
            },
            runbook="ConveyorQueueWaits",
        ),
    )


def _api() -> Row:
    return Row(
        "API",
        graph(
            "Requests",
            "Answers per second by class of status.",
            "reqps",
            {
                "{{class}}": (
                    "sum by (class) (label_replace(rate("
                    f"{select('http_requests_total')}[$__rate_interval]), "
                    '"class", "${1}xx", "status", "(.).*"))'
                ),
            },
            stacked=True,
            colours={"2xx": "green", "3xx": "blue", "4xx": "yellow", "5xx": "red"},
        ),
        graph(
            "Share of errors",
            "Answers with 5xx among all, by route; 503 while the database has no primary is one of them.",
            "percentunit",
            {
                "{{route}}": (
                    f"{per_second('http_requests_total', 'route', where=f'{ASKED}, {ERRORS}')}"
                    f" / {per_second('http_requests_total', 'route', where=ASKED)}"
                ),
                "all": (
                    f"({or_nothing(per_second('http_requests_total', where=f'{ASKED}, {ERRORS}'))})"
                    f" / {per_second('http_requests_total', where=ASKED)}"
                ),
            },
            runbook="ConveyorApiErrorBudget",
        ),
        graph(
            "Time to answer",
            "How long requests take, without the streams of a task's events.",
            "s",
            {
                "median": quantile(0.5, "http_request_duration_seconds", where=QUICK),
                "95 %": quantile(0.95, "http_request_duration_seconds", where=QUICK),
                "99 %": quantile(0.99, "http_request_duration_seconds", where=QUICK),
            },
            runbook="ConveyorApiLatencyBudget",
        ),
    )


def _parts() -> Row:
    return Row(
        "Parts",
        graph(
            "Processes that Prometheus reaches",
            "How many of each kind answer. A line that falls is a part that died.",
            "short",
            {
                "API": each("http_requests_in_flight"),
                "worker": each("worker_tasks_running"),
                "relay": each("redis_up"),
                "MySQL agent": each("mysql_agent_members"),
            },
            steps=True,
        ),
        graph(
            "Silence of the workers",
            "Time since each worker last said that it is alive; a worker says so every second or two.",
            "s",
            {"{{worker}}": highest("worker_heartbeat_age_seconds", "worker")},
            runbook="ConveyorWorkerSilent",
        ),
        graph(
            "MySQL members ONLINE",
            "As each member sees its group; a member that is cut off sees fewer.",
            "short",
            {
                MEMBER_LEGEND: highest("mysql_agent_members_online", *MEMBER),
                "should be": highest("mysql_agent_members"),
            },
            colours={"should be": "text"},
            steps=True,
            runbook="ConveyorMysqlMemberMissing",
        ),
    )


def _trouble() -> Row:
    return Row(
        "What should be nothing",
        graph(
            "Events per minute",
            "Each of these is caught and cured by Conveyor once; a lasting rate is a fault of a part.",
            "short",
            {
                "tasks failed": _per_minute("tasks_total", 'outcome="failed"'),
                "attempts to be repeated": _per_minute("task_retries_total"),
                "messages lost and published again": _per_minute("tasks_republished_total"),
                "messages not published at once": _per_minute("task_publish_failures_total"),
                "passes of a relay failed": _per_minute("relay_failures_total"),
                "leases not renewed": _per_minute("worker_lease_renewal_failures_total"),
                "processes lost": _per_minute("worker_processes_lost_total"),
                "rows of the request log lost": _per_minute("request_log_dropped_total"),
            },
            wide=12,
        ),
        alerts(
            "Alerts that fire",
            "What fires now. A click on the name opens its runbook.",
            f"sum by (alertname, severity, namespace, pod, part, member, task, queue) ({FIRING})",
            wide=12,
        ),
    )


def _per_minute(counter: str, where: str = "") -> str:
    return or_nothing(f"60 * {per_second(counter, where=where)}")
