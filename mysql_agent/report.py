"""What the agent last saw and decided, as it is told to load balancers, probes and people."""

import json
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

from mysql_agent.cluster import Answer, ClusterView, Observed, Role
from mysql_agent.decision import Action, Decision

HAPROXY = "/haproxy"  # before the path of a role


@dataclass(frozen=True)
class Report:
    cluster: ClusterView
    decision: Decision
    seen_at: float  # monotonic seconds


@dataclass(frozen=True)
class Limits:
    stale_seconds: float
    live_seconds: float
    max_replica_queue: int


@dataclass(frozen=True)
class Response:
    status: HTTPStatus
    body: str
    content_type: str = "text/plain; charset=utf-8"


def respond(path: str, report: Report | None, now: float, limits: Limits) -> Response:
    """Answer one of the health paths; whatever is not known for certain is a 503."""
    if report is None:
        return Response(HTTPStatus.SERVICE_UNAVAILABLE, "nothing observed yet\n")
    age = now - report.seen_at
    if path == "/":
        return Response(HTTPStatus.OK, json.dumps(as_json(report, age), indent=2) + "\n", "application/json")
    if path == "/live":
        return _verdict(good=age <= limits.live_seconds, text=f"last loop {age:.1f} s ago")
    role_path = path.removeprefix(HAPROXY)
    if role_path not in {"/primary", "/replica", "/ready"}:
        return Response(HTTPStatus.NOT_FOUND, "see /, /primary, /replica, /ready, /live, /metrics\n")
    response = _for_role(role_path, report, age, limits)
    if path != role_path and response.status != HTTPStatus.OK and _is_well(report, age, limits):
        return replace(response, status=HTTPStatus.NOT_FOUND)
    return response


def _for_role(path: str, report: Report, age: float, limits: Limits) -> Response:
    own = report.cluster.own.answer
    if own is None or not _may_serve(path, report.decision.action) or age > limits.stale_seconds:
        return _verdict(good=False, text=f"{report.decision.message} (seen {age:.1f} s ago)")
    return _serving(path, own, limits)


def _is_well(report: Report, age: float, limits: Limits) -> bool:
    """Tell a member that has another role, or goes in order, from one whose clients must be cut off.

    HAProxy sends the former no new clients at once (`disable-on-404`). Whether a member is down may then be
    left to several checks, so that an agent which is started anew disturbs nobody.
    """
    own, action = report.cluster.own.answer, report.decision.action
    is_in_order = action in {Action.NOTHING, Action.HAND_OVER, Action.RELEASE}
    return own is not None and own.serves and is_in_order and age <= limits.stale_seconds


def _may_serve(path: str, action: Action) -> bool:
    # A primary that hands its role over takes writes until another does.
    return action is Action.NOTHING or (path == "/primary" and action is Action.HAND_OVER)


def _serving(path: str, own: Answer, limits: Limits) -> Response:
    role = f"{own.state} {own.role}"
    if path == "/primary":
        return _verdict(good=own.role is Role.PRIMARY, text=role)
    if path == "/replica":
        fresh = own.applier_queue < limits.max_replica_queue
        return _verdict(
            good=own.role is Role.SECONDARY and fresh,
            text=f"{role}, {own.applier_queue} transactions to apply (limit {limits.max_replica_queue})",
        )
    return _verdict(good=True, text=role)


def _verdict(*, good: bool, text: str) -> Response:
    return Response(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, text + "\n")


def as_json(report: Report, age: float) -> dict[str, Any]:
    return {
        "decision": asdict(report.decision),
        "age_seconds": round(age, 3),
        "members": [_member(member) for member in report.cluster.members],
    }


def _member(member: Observed) -> dict[str, Any]:
    summary: dict[str, Any] = {"name": member.name, "address": member.address}
    if member.answer is None:
        return summary | {"error": member.error}
    answer = member.answer
    return summary | {
        "state": answer.state,
        "role": answer.role,
        "in_majority": answer.in_majority,
        "gtids": str(answer.gtids),
        "applier_queue": answer.applier_queue,
        "view": [asdict(entry) for entry in answer.view],
    }
