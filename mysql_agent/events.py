"""What is worth an Event, and how often: enough to explain a wait, never a flood."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

from mysql_agent.decision import Action, Decision, Reason

PATIENCE_SECONDS = 5.0  # members wait for each other at every start; that is no news
REPEAT_SECONDS = 600.0
BUDGET = 20  # in REPEAT_SECONDS, whatever happens
WAITING_ROOM = 20

NORMAL, WARNING = "Normal", "Warning"


@dataclass(frozen=True)
class Announcement:
    kind: str
    reason: str
    message: str


class Announcer:
    """Chooses among decisions and deeds, and keeps what is chosen until it could be sent."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._current: Reason | None = None
        self._since = 0.0
        self._announced: dict[Reason, float] = {}
        self._sent_at: deque[float] = deque(maxlen=BUDGET)
        self._pending: deque[Announcement] = deque(maxlen=WAITING_ROOM)
        self._lock = RLock()  # the loop tells, another thread sends

    def first(self) -> Announcement | None:
        """Return what is to be sent next."""
        with self._lock:
            return self._pending[0] if self._pending else None

    def done_with(self, announcement: Announcement) -> None:
        with self._lock:
            if self._pending and self._pending[0] is announcement:
                self._pending.popleft()

    def consider(self, decision: Decision) -> bool:
        """Announce a call for help at once, and a wait once it has lasted; tells whether it did."""
        with self._lock:
            return self._consider(decision, self._clock())

    def _consider(self, decision: Decision, now: float) -> bool:
        if decision.reason is not self._current:
            self._current, self._since = decision.reason, now
        if decision.action not in {Action.WAIT, Action.ALERT}:
            return False
        is_alert = decision.action is Action.ALERT
        lasts = is_alert or now - self._since >= PATIENCE_SECONDS
        last = self._announced.get(decision.reason)
        if not lasts or (last is not None and now - last < REPEAT_SECONDS):
            return False
        self._announced[decision.reason] = now
        kind = WARNING if is_alert or decision.reason is Reason.DISK_REPLACED else NORMAL
        return self.tell(kind, decision.reason, decision.message)

    def tell(self, kind: str, reason: str, message: str) -> bool:
        """Put an Event up for sending, unless there were too many lately."""
        with self._lock:
            return self._tell(Announcement(kind, camel_case(reason), message), self._clock())

    def _tell(self, announcement: Announcement, now: float) -> bool:
        if len(self._sent_at) == BUDGET and now - self._sent_at[0] < REPEAT_SECONDS:
            return False
        self._sent_at.append(now)
        self._pending.append(announcement)
        return True


def camel_case(reason: str) -> str:
    """`peer_unreachable` as Kubernetes writes reasons: `PeerUnreachable`."""
    return "".join(word.capitalize() for word in reason.split("_"))
