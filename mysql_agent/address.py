"""Names and network addresses of the configured members."""

import re
from dataclasses import dataclass
from typing import Self

_ADDRESS = re.compile(r"\[?(?P<host>[^\]\s=,]+)\]?:(?P<port>\d{1,5})")
_NAME = re.compile(r"[A-Za-z0-9.-]*?(?P<ordinal>\d+)")


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _ADDRESS.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} is not host:port")
        return cls(match["host"], int(match["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Member:
    name: str
    address: Address

    @classmethod
    def parse(cls, text: str) -> Self:
        name, _, address = text.strip().partition("=")
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{text!r} is not name=host:port with a name that ends in its number, as mysql-0"
            )
        return cls(name, Address.parse(address))

    @property
    def ordinal(self) -> int:
        """The name's number, as a StatefulSet gives it; it breaks ties between equal members."""
        return int(re.sub(r".*?(\d+)$", r"\1", self.name))
