"""What is to be done next, read off the Secret alone: a run that was killed is continued by the next one."""

from collections.abc import Mapping
from enum import Enum

NEXT, OLD = "next.", "old."


class Step(Enum):
    DRAW = "draw new passwords into the Secret, beside the ones in use"
    ACCEPT = "let the servers accept both"
    SWITCH = "make the new ones those in use"
    RESTART = "start everything anew that has read the old ones"
    DISCARD = "let the servers forget the old ones"
    FORGET = "remove the old ones from the Secret"


# Each of them may be repeated, so that it does not matter in the midst of which a run was killed.
WITH_NEXT = (Step.ACCEPT, Step.SWITCH)
WITH_OLD = (Step.RESTART, Step.DISCARD, Step.FORGET)


def steps_left(values: Mapping[str, bytes]) -> tuple[Step, ...]:
    """Return the steps of a rotation that still have to be done; of none that is under way, all."""
    if marked(values, OLD):
        return WITH_OLD
    if marked(values, NEXT):
        return (*WITH_NEXT, *WITH_OLD)
    return (Step.DRAW, *WITH_NEXT, *WITH_OLD)


def marked(values: Mapping[str, bytes], mark: str) -> dict[str, str]:
    """Return the passwords that are kept under a mark, by the key they belong to."""
    return {key.removeprefix(mark): value.decode() for key, value in values.items() if key.startswith(mark)}


def drawn(values: Mapping[str, bytes], new: Mapping[str, str]) -> dict[str, bytes]:
    return {**values, **{NEXT + key: password.encode() for key, password in new.items()}}


def switched(values: Mapping[str, bytes]) -> dict[str, bytes]:
    new = marked(values, NEXT)
    kept = {key: value for key, value in values.items() if not key.startswith(NEXT)}
    old = {OLD + key: values[key] for key in new}
    return {**kept, **old, **{key: password.encode() for key, password in new.items()}}


def forgotten(values: Mapping[str, bytes]) -> dict[str, bytes]:
    return {key: value for key, value in values.items() if not key.startswith(OLD)}
