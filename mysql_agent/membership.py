"""Who the members are: told once, or by a file that may be changed while the agent runs."""

from pathlib import Path

import structlog

from mysql_agent.address import Member, parse_members

log = structlog.get_logger(__name__)


class Membership:
    """The configured members as of now, the own one among them."""

    def __init__(self, name: str, members: tuple[Member, ...], file: Path | None) -> None:
        self._name = name
        self._members = members
        self._file = file
        self._refused = ""

    def peers(self) -> tuple[Member, ...]:
        """Return the other members."""
        self._read_again()
        return tuple(member for member in self._members if member.name != self._name)

    def member(self, name: str) -> Member:
        """Return one of the members that were there at the last look."""
        return next(member for member in self._members if member.name == name)

    def seeds(self) -> str:
        """Return where the server finds its group; nothing where what it was started with holds."""
        return ",".join(str(member.address) for member in self._members) if self._file else ""

    def _read_again(self) -> None:
        """Take what the file says; a list without this member is for those who stay, not for it."""
        text = _content(self._file) if self._file else ""
        if not text or text == self._refused:
            return
        try:
            members = parse_members(text, self._name)
        except ValueError as error:
            self._refused = text
            log.warning("the members stay as they were", error=str(error))
            return
        if members != self._members:
            log.info("the members have changed", members=[member.name for member in members])
            self._members = members


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""  # it is being replaced
