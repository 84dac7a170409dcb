"""SQL of the log of backups."""

from sqlalchemy import select

from app.database.sessions import WriteSession
from app.models import Backup


class BackupRepository:
    """Reads what the jobs that back up have written."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    def newest(self) -> Backup | None:
        """Return the last backup that succeeded."""
        return self._session.scalar(select(Backup).order_by(Backup.taken_at.desc()).limit(1))
