"""`python -m mysql_archive`: archive what was committed since the last run, and exit."""

import sys
from datetime import UTC, datetime, timedelta

import pymysql
import structlog

from mysql_archive.archive import NotPrimaryError, archive_once
from mysql_archive.events import EventError
from mysql_archive.folder import FOLDER, Archive
from mysql_archive.settings import ArchiveSettings, load
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)


def main() -> int:
    """Run once; what could not be fetched now, the next run fetches."""
    settings = begin("mysql_archive", lambda: load(ArchiveSettings))
    archive = Archive(settings.backups / FOLDER)
    try:
        count = archive_once(settings, archive)
    except NotPrimaryError:
        return _give_up(settings, f"{settings.host} is no primary at the moment; the next run finds one")
    except (pymysql.MySQLError, EventError) as error:
        return _give_up(settings, f"nothing was archived: {error}")
    # a dump of the oldest day that is kept may be a day older
    archive.forget_before(datetime.now(UTC) - timedelta(days=settings.retention_days + 1))
    log.info("archived", transactions=count)
    return 0


def _give_up(settings: ArchiveSettings, reason: str) -> int:
    log.warning(reason)
    return 1 if settings.required else 0


if __name__ == "__main__":
    sys.exit(main())
