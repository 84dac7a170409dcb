"""The memory of members on one machine, a file: which disks their group has."""

from pathlib import Path

from mysql_agent.decision import Action
from mysql_agent.labels import to_remember
from mysql_agent.report import Report


class FileMemory:
    """Written by the primary; in Kubernetes the Lease remembers the same."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def known_uuids(self) -> frozenset[str]:
        try:
            return frozenset(self.path.read_text(encoding="ascii").split())
        except FileNotFoundError:
            return frozenset()

    def saw(self, report: Report) -> None:
        if report.decision.action is not Action.NOTHING:
            return
        known = self.known_uuids
        uuids = to_remember(report.cluster, known)
        if uuids != known:
            self._write(uuids)

    def did(self, deed: str, message: str) -> None:
        """Nothing of that needs to be remembered."""

    def _write(self, uuids: frozenset[str]) -> None:
        # renamed: whoever reads it sees the old or the new memory, never a part
        draft = self.path.with_suffix(".draft")
        draft.write_text("".join(f"{uuid}\n" for uuid in sorted(uuids)), encoding="ascii")
        draft.replace(self.path)
