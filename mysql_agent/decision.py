"""What an agent can decide, and the reasons it gives."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    NOTHING = "nothing"  # the member serves
    WAIT = "wait"
    JOIN = "join"
    BOOTSTRAP = "bootstrap"
    HAND_OVER = "hand_over"  # make another member the primary
    RELEASE = "release"  # the server may be stopped
    ALERT = "alert"  # only a person can go on


class Reason(StrEnum):
    COMPLETE = "complete"
    MEMBERS_MISSING = "members_missing"
    NO_MAJORITY = "no_majority"
    LEFT_BEHIND = "left_behind"
    SERVER_UNREACHABLE = "server_unreachable"
    RECOVERING = "recovering"
    GROUP_FOUND = "group_found"
    OTHERS_TURN = "others_turn"
    PRIMARY_UNREACHABLE = "primary_unreachable"
    ERRANT_TRANSACTIONS = "errant_transactions"
    PEER_UNREACHABLE = "peer_unreachable"
    SAME_SERVER_TWICE = "same_server_twice"
    GROUP_WITHOUT_MAJORITY = "group_without_majority"
    FOUNDER = "founder"
    OTHER_FOUNDER = "other_founder"
    FORCED = "forced"
    DIVERGED = "diverged"
    DISK_REPLACED = "disk_replaced"
    KUBERNETES_UNREACHABLE = "kubernetes_unreachable"
    STOPPING = "stopping"
    # Why a decision had no effect yet:
    OLD_INCARNATION = "old_incarnation"
    START_REFUSED = "start_refused"
    ACCOUNTS_CHANGE = "accounts_change"
    LOCK_HELD = "lock_held"
    LOCK_RUNS_OUT = "lock_runs_out"
    SITUATION_CHANGED = "situation_changed"
    NOT_ONLINE_YET = "not_online_yet"
    SWITCHOVER_FAILED = "switchover_failed"


@dataclass(frozen=True)
class Decision:
    action: Action
    reason: Reason
    message: str
    successor: str = ""  # the server_uuid that HAND_OVER means
    primary: str = ""  # the name of the member on which JOIN asks for its turn
