"""SQL of the log of backups."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Backup


class BackupRepository:
    """Reads what the jobs that back up have written."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self) -> Backup | None:
        """Return the last backup that succeeded."""
        return self._session.scalar(select(Backup).order_by(Backup.taken_at.desc()).limit(1))
