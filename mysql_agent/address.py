"""Names and network addresses of the configured members."""

import re
from dataclasses import dataclass
from typing import Self

# Group Replication takes no more.
MOST_MEMBERS = 9
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


def parse_members(text: str, own: str) -> tuple[Member, ...]:
    """Read `mysql-0=host:port,mysql-1=host:port`, among them the member that reads it.

    Raises:
        ValueError: the list contradicts itself, or lacks that member.
    """
    members = tuple(Member.parse(part) for part in text.split(",") if part.strip())
    check_members(members, own)
    return members


def check_members(members: tuple[Member, ...], own: str) -> None:
    """Refuse a list that contradicts itself, or lacks the own member."""
    names = [member.name for member in members]
    addresses = [member.address for member in members]
    if len(set(names)) < len(names) or len(set(addresses)) < len(addresses):
        raise ValueError("MYSQL_AGENT_MEMBERS names a member or an address twice")
    if own not in names:
        raise ValueError(f"MYSQL_AGENT_NAME is {own}, which MYSQL_AGENT_MEMBERS does not contain")
