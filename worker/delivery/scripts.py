"""The scripts that Redis runs, each in one step that nothing can come between."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class RedisScript:
    """A script's text and the name by which Redis knows it once it was loaded."""

    text: str

    @property
    def sha(self) -> str:
        """Return the digest that EVALSHA takes."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


@cache
def redis_script(name: str) -> RedisScript:
    """Read a script that lies beside this module."""
    return RedisScript(files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8"))
