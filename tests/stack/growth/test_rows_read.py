"""What runs again and again reads no more rows for there being more of them."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, create_engine, text

from app.database.engines import database_url
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from app.migrations.__main__ import migrate
from tests.stack.growth.counted import reads
from tests.stack.growth.large_tables import TABLES, fill
from tests.stack.growth.own_mysql import LARGE, OwnMysql
from tests.stack.growth.statements import STATEMENTS

MOST_READ = 300


@pytest.fixture(scope="module")
def admin(mysql: OwnMysql) -> Iterator[Connection]:
    migrate(mysql.settings(LARGE))
    url = database_url(mysql.settings(LARGE), LARGE)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        fill(connection)
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def database(mysql: OwnMysql, admin: Connection) -> Iterator[Database]:
    del admin  # it fills the tables
    database = Database(mysql.settings(LARGE), DatabaseMetrics(CollectorRegistry()))
    yield database
    database.dispose()


@pytest.fixture(scope="module", params=["of empty tables", "of today"])
def statistics(request: pytest.FixtureRequest, admin: Connection) -> str:
    """MySQL renews them some time after many rows have come; until then it plans by the old ones."""
    if request.param == "of today":
        admin.execute(text(f"ANALYZE TABLE {', '.join(TABLES)}"))
    return str(request.param)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_reads_a_bounded_number_of_rows(
    database: Database, admin: Connection, statistics: str, name: str
) -> None:
    with database.write() as session:
        found = reads(admin, session, lambda: STATEMENTS[name](session))
        session.rollback()
    assert found, "the statements were seen"
    worst = max(found, key=lambda read: read.rows)
    assert worst.rows <= MOST_READ, f"{worst.rows} rows by statistics {statistics} for {worst.statement}"
