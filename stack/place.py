"""Where a part runs: here, unless a test gives it a network of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """The address of what runs there, and the command that starts programs there."""

    host: str = LOOPBACK
    enter: tuple[str, ...] = ()


HERE = Place()
Places = Mapping[str, Place]  # by the name of the part; who is not named runs here
