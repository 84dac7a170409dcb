"""The MySQL group: who leads it, who is missing, how far replicas are behind, and what protects the data."""

from grafana.board import Board, Row
from grafana.panels import above, below, graph, tile, timeline
from grafana.promql import (
    MEMBER,
    MEMBER_LEGEND,
    grown,
    highest,
    lowest,
    maximum,
    or_nothing,
    per_second,
    quantile,
    select,
    total,
)

DAY = 86400
STATES = {
    0: ("not reached", "dark-red"),
    1: ("OFFLINE or ERROR", "red"),
    2: ("RECOVERING", "orange"),
    3: ("ONLINE", "blue"),
    4: ("ONLINE, primary", "green"),
}
ACTS = 'decision!="nothing"'
PRIMARY = 'role="PRIMARY"'
NEEDS_A_PERSON = 'reason=~"disk_replaced|diverged|errant_transactions|same_server_twice"'
EXPIRY = "mysql_agent_certificate_expiry_timestamp_seconds"
LAST_BACKUP = "backup_last_success_timestamp_seconds"


def mysql() -> Board:
    """Return the dashboard of the MySQL group, of what the API reads from it, and of backups."""
    return Board(
        "conveyor-mysql",
        "MySQL",
        "Who leads the group, who is missing, how far the replicas are behind, and what protects the data.",
        (_state(), _group(), _clients(), _protection(), _agents()),
    )


def _state() -> Row:
    return Row(
        "State",
        tile(
            "Primary",
            "The member that takes writes. Nobody: writes are refused with 503.",
            "short",
            f"{maximum(*MEMBER)} ({select('mysql_agent_role', PRIMARY)} == 1"
            f" and on (instance) {select('mysql_agent_in_majority')} == 1)",
            above(),
            name=MEMBER_LEGEND,
            otherwise="nobody",
            runbook="ConveyorMysqlNoPrimary",
        ),
        tile(
            "Members ONLINE",
            "In the view of the member that sees most.",
            "short",
            highest("mysql_agent_members_online"),
            below(orange=3, red=2),
            runbook="ConveyorMysqlMemberMissing",
        ),
        tile(
            "Failovers",
            "How often a member became the primary in the time shown, after a failure or by a hand-over.",
            "short",
            or_nothing(grown("mysql_agent_promotions_total")),
            above(orange=0.5),
            decimals=0,
        ),
        tile(
            "Longest applier queue",
            "Transactions that a member has received and not yet applied.",
            "short",
            highest("mysql_agent_applier_queue"),
            above(orange=100, red=1000),
            runbook="ConveyorMysqlReplicaLags",
        ),
        tile(
            "Needs a person",
            "Whether an agent waits for a decision that only a person can make.",
            "short",
            highest("mysql_agent_waiting", where=NEEDS_A_PERSON),
            above(red=1),
            words={0: "no", 1: "yes"},
            runbook="ConveyorMysqlNeedsAPerson",
        ),
        tile(
            "Fullest pool",
            "Connections in use, of all that the process may open, in the fullest pool of any process.",
            "percentunit",
            _fullness(),
            above(orange=0.7, red=0.9),
            runbook="ConveyorPoolExhausted",
        ),
        tile(
            "Last backup",
            "Age of the last backup.",
            "s",
            f"time() - ({highest(LAST_BACKUP)} > 0)",
            above(orange=1.5 * DAY, red=2 * DAY),
            otherwise="none",
            runbook="ConveyorBackupTooOld",
        ),
        tile(
            "Certificates end in",
            "Until the first certificate of a member ends; they are renewed 30 days before.",
            "s",
            f"min ({select(EXPIRY)} > 0) - time()",
            below(orange=29 * DAY, red=14 * DAY),
            runbook="ConveyorMysqlCertificateEnds",
        ),
    )


def _group() -> Row:
    return Row(
        "Group",
        timeline(
            "State of the members",
            "What each member says of itself. During a failover the green moves from one to another.",
            {MEMBER_LEGEND: _member_state()},
            STATES,
            runbook="ConveyorMysqlNoPrimary",
        ),
        graph(
            "Members in each one's view",
            "How many each member sees ONLINE; one that is cut off sees fewer.",
            "short",
            {
                MEMBER_LEGEND: highest("mysql_agent_members_online", *MEMBER),
                "should be": highest("mysql_agent_members"),
            },
            colours={"should be": "text"},
            steps=True,
            runbook="ConveyorMysqlMemberMissing",
            wide=12,
        ),
        graph(
            "Behind by time",
            "For how long a replica has not caught up with the primary, as reads see it.",
            "s",
            {MEMBER_LEGEND: highest("mysql_agent_applier_lag_seconds", *MEMBER)},
            runbook="ConveyorMysqlReplicaLags",
            wide=6,
        ),
        graph(
            "Behind by transactions",
            "Received and not yet applied; from 1,000 on a replica gets no reads.",
            "short",
            {MEMBER_LEGEND: highest("mysql_agent_applier_queue", *MEMBER)},
            runbook="ConveyorMysqlReplicaLags",
            wide=6,
        ),
        graph(
            "Changes of the primary",
            "Each change counts once, at the member that it happened to.",
            "short",
            {
                "became primary": _events("mysql_agent_promotions_total"),
                "stopped being it": _events("mysql_agent_demotions_total"),
                "hand-over {{outcome}}": _events("mysql_agent_switchovers_total", "outcome"),
                "founded a group": _events("mysql_agent_bootstrap_total"),
            },
            steps=True,
            runbook="ConveyorMysqlSwitchoverFailed",
            wide=6,
        ),
        graph(
            "What agents wait for",
            "Nothing is drawn while nobody waits. docs/database.md explains every reason.",
            "short",
            {f"{MEMBER_LEGEND}: {{{{reason}}}}": f"{highest('mysql_agent_waiting', *MEMBER, 'reason')} > 0"},
            steps=True,
            runbook="ConveyorMysqlNeedsAPerson",
            wide=6,
        ),
    )


def _clients() -> Row:
    return Row(
        "What clients see",
        graph(
            "Reads that no replica answered",
            "Sessions that fell back to the primary, and why a replica was passed over.",
            "ops",
            {
                "read on the primary": per_second("database_reads_on_primary_total"),
                "replica did not answer": per_second("database_replica_failures_total"),
                "replica was too far behind": per_second("database_read_your_writes_timeouts_total"),
            },
            runbook="ConveyorReadsOnPrimary",
            wide=6,
        ),
        graph(
            "Wait for one's own writes",
            "How long a reader waited for a replica to reach the reader's last write.",
            "s",
            {
                "median": quantile(0.5, "database_read_your_writes_wait_seconds"),
                "99 %": quantile(0.99, "database_read_your_writes_wait_seconds"),
            },
            wide=6,
        ),
        graph(
            "Connections",
            "Of all processes together, by pool and state.",
            "short",
            {"{{pool}}, {{state}}": total("database_pool_connections", "pool", "state")},
            stacked=True,
            wide=6,
        ),
        graph(
            "Use of the pools",
            "Connections in use, of all that a process may open, in the fullest one. At 100 % requests wait.",
            "percentunit",
            {"{{pool}}": _fullness("pool")},
            limit=1,
            runbook="ConveyorPoolExhausted",
            wide=6,
        ),
    )


def _protection() -> Row:
    return Row(
        "Backups and certificates",
        graph(
            "Age of the last backup",
            "It should be taken again before it reaches the limit. Nothing is drawn where backups are off.",
            "s",
            {
                "age": f"time() - ({highest(LAST_BACKUP)} > 0)",
                "limit": f"{highest('backup_max_age_seconds')} > 0",
            },
            colours={"limit": "red"},
            runbook="ConveyorBackupTooOld",
        ),
        graph(
            "Size of the last backup",
            "A sudden fall is worth a look, and so is a fast growth.",
            "bytes",
            {"size": f"{highest('backup_last_success_bytes')} > 0"},
            runbook="ConveyorBackupMissing",
        ),
        graph(
            "Certificates",
            "Time until the certificate ends that each member shows; below two weeks nobody has renewed it.",
            "s",
            {MEMBER_LEGEND: f"({lowest(EXPIRY, *MEMBER)} > 0) - time()"},
            limit=14 * DAY,
            runbook="ConveyorMysqlCertificateEnds",
        ),
    )


def _agents() -> Row:
    return Row(
        "Agents",
        graph(
            "Time of one look",
            "How long an agent takes to observe, decide and act, 99 %; a dead member makes it wait.",
            "s",
            {MEMBER_LEGEND: quantile(0.99, "mysql_agent_loop_duration_seconds", *MEMBER)},
        ),
        graph(
            "Decisions other than to do nothing",
            "Per second, by decision.",
            "ops",
            {"{{decision}}": per_second("mysql_agent_decisions_total", "decision", where=ACTS)},
        ),
        graph(
            "Kubernetes API",
            "Requests that it refused or did not answer, writes others were quicker with, labels written.",
            "ops",
            {
                "refused or not answered": per_second("mysql_agent_kubernetes_errors_total"),
                "others were quicker": per_second("mysql_agent_kubernetes_conflicts_total"),
                "labels written": per_second("mysql_agent_labels_written_total"),
            },
            runbook="ConveyorMysqlAgentAlone",
        ),
    )


def _member_state() -> str:
    def said(metric: str, where: str) -> str:
        return total(metric, *MEMBER, where=where)

    online = said("mysql_agent_member_state", 'state="ONLINE"')
    recovering = said("mysql_agent_member_state", 'state="RECOVERING"')
    outside = said("mysql_agent_member_state", 'state=~"OFFLINE|ERROR"')
    return f"{online} * (3 + {said('mysql_agent_role', PRIMARY)}) + 2 * {recovering} + {outside}"


def _events(counter: str, *by: str) -> str:
    return grown(counter, *by, over="$__rate_interval")


def _fullness(*by: str) -> str:
    used = total("database_pool_connections", "instance", "pool", where='state="in_use"')
    limit = total("database_pool_limit", "instance", "pool")
    return f"{maximum(*by)} ({used} / {limit})"
