"""The scripts that Redis runs, each in one step that nothing can come between."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class RedisScript(NamedTuple):
    """A script's text, and the digest by which Redis knows it once it was loaded."""

    text: str
    sha: str


@cache
def redis_script(name: str) -> RedisScript:
    """Read a script that lies beside this module."""
    text = files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")
    return RedisScript(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
