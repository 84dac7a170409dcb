"""Parts of the stack that are missing for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from stack.supervisor import Stack


@contextmanager
def held_down(stack: Stack, *names: str) -> Iterator[None]:
    """Kill parts and keep them down."""
    for name in names:
        stack.service(name).pause_restart()
        stack.service(name).kill_session()
    try:
        yield
    finally:
        for name in names:
            stack.service(name).resume_restart()
