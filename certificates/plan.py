"""What has to be made anew, given what there is: a decision without keys, files or clocks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# In the last third of its life something is replaced: time enough to notice that it was not.
LAST = 3
# Whoever verifies has read the new authority by then; the kubelet takes a minute or two.
OVERLAP = timedelta(days=1)


@dataclass(frozen=True)
class Life:
    """From when until when a certificate holds."""

    start: datetime
    end: datetime

    def is_ending(self, now: datetime) -> bool:
        return self.end - now < (self.end - self.start) / LAST


@dataclass(frozen=True)
class Held:
    """What there is: the authorities that are trusted, newest first, and the servers' certificate."""

    authorities: tuple[Life, ...]
    certificate: Life
    names: frozenset[str]
    signed_by: int | None  # which of the authorities; None: none of them, or the key is another one's
    can_sign: bool = True  # the key of the newest authority is there


@dataclass(frozen=True)
class Plan:
    """What to make, and why."""

    authority: bool
    certificate: bool
    because: str


NOTHING = Plan(authority=False, certificate=False, because="everything holds for long enough")


def plan(now: datetime, held: Held | None, names: frozenset[str]) -> Plan:
    """Decide what to make, so that everyone who read the authorities a day ago still trusts the servers."""
    if held is None or not held.authorities:
        return Plan(authority=True, certificate=True, because="there is none yet")
    newest, reason = held.authorities[0], _certificate_is_due(now, held, names)
    if newest.end <= now:
        return Plan(authority=True, certificate=True, because="the authority has expired")
    if not held.can_sign:
        return Plan(authority=True, certificate=bool(reason), because="the authority's key is another one's")
    if reason:
        return Plan(authority=False, certificate=True, because=reason)
    if newest.is_ending(now):
        # Not used before the next run: whoever verifies has to know it first.
        return Plan(
            authority=True, certificate=False, because="the authority is in the last third of its life"
        )
    return NOTHING


def still_trusted(now: datetime, authorities: tuple[Life, ...]) -> int:
    """How many of the authorities, newest first, have to stay known: all that have not expired."""
    return sum(life.end > now for life in authorities)


def _certificate_is_due(now: datetime, held: Held, names: frozenset[str]) -> str:
    if held.signed_by is None:
        return "the certificate is not of the authority"
    if held.names != names:
        return "the servers have other names"
    if held.certificate.is_ending(now):
        return "the certificate is in the last third of its life"
    if held.signed_by > 0 and now - held.authorities[0].start >= OVERLAP:
        return "the authority was replaced"
    return ""
