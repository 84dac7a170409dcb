"""The schema that migrations make is the schema that the code expects."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from app.database.engines import database_url
from app.migrations.__main__ import migrate as run_migrations
from app.models import Base
from app.settings import Settings
from stack.supervisor import ROOT, Stack
from tests.stack.waiting import wait_until


def administrator(stack: Stack) -> Settings:
    env = stack.env_for("migrate")
    return Settings(
        db_master_host=env["DB_MASTER_HOST"],
        db_password=SecretStr(env["DB_PASSWORD"]),
        db_admin_user=env["DB_ADMIN_USER"],
        db_admin_password=SecretStr(env["DB_ADMIN_PASSWORD"]),
    )


def migrate(stack: Stack) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.migrations"],
        cwd=ROOT,
        env=stack.env_for("migrate"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_models_and_the_migrated_schema_do_not_differ(stack: Stack) -> None:
    settings = administrator(stack)
    engine = create_engine(database_url(settings, settings.db_name, as_admin=True))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(stack: Stack) -> None:
    settings = administrator(stack)
    engine = create_engine(database_url(settings, settings.db_name, as_admin=True))
    count = text("SELECT COUNT(*) FROM users WHERE email LIKE '%@example.com' AND name = 'Ada Lovelace'")
    with engine.connect() as connection:
        before = connection.scalar(count)
    ended = migrate(stack)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "schema is current" in ended.stdout
    assert settings.db_password.get_secret_value() not in ended.stdout + ended.stderr
    with engine.connect() as connection:
        assert connection.scalar(count) == before
    engine.dispose()


def test_a_migration_waits_for_its_twin_and_then_gives_up_with_the_reason(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = administrator(stack)
    engine = create_engine(database_url(settings, None, as_admin=True))
    monkeypatch.setattr("app.migrations.alone.LOCK_TIMEOUT_SECONDS", 1)
    with engine.connect() as twin:
        assert twin.scalar(text("SELECT GET_LOCK('conveyor_migrations', 1)")) == 1
        with pytest.raises(TimeoutError, match=r"another migration, .* conveyor_migrations for 1 s"):
            run_migrations(settings)
    engine.dispose()


def test_a_migration_that_has_no_account_to_change_does_not_wait_for_a_member_that_joins(
    stack: Stack,
) -> None:
    settings = administrator(stack)
    engine = create_engine(database_url(settings, None, as_admin=True))
    with engine.connect() as member:
        assert member.scalar(text("SELECT GET_LOCK('conveyor_accounts', 5)")) == 1
        ended = migrate(stack)
        assert member.scalar(text("SELECT RELEASE_LOCK('conveyor_accounts')")) == 1
    engine.dispose()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "schema is current" in ended.stdout


def test_a_right_that_is_missing_is_given_again(stack: Stack) -> None:
    settings = administrator(stack)
    engine = create_engine(database_url(settings, None, as_admin=True))
    table = "performance_schema.replication_group_member_stats"
    revoke = text(f"REVOKE SELECT ON {table} FROM :user@'%'")  # noqa: S608 - a table of MySQL's own
    with engine.connect() as connection:
        connection.execute(revoke, {"user": settings.db_user})
    engine.dispose()
    changed, unchanged = migrate(stack), migrate(stack)
    assert "database and account are there" in changed.stdout
    assert "account" not in unchanged.stdout, "nothing was missing any more"


def test_a_migration_that_loses_its_connection_runs_again(stack: Stack) -> None:
    settings = administrator(stack)
    engine = create_engine(database_url(settings, None, as_admin=True))
    waiting = text("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT GET_LOCK%'")
    with engine.connect() as twin, ThreadPoolExecutor(1) as pool:
        assert twin.scalar(text("SELECT GET_LOCK('conveyor_migrations', 1)")) == 1
        migration = pool.submit(migrate, stack)
        wait_until(lambda: twin.scalar(waiting) is not None, "the migration waits for the lock")
        twin.execute(text(f"KILL CONNECTION {twin.scalar(waiting)}"))
        twin.execute(text("SELECT RELEASE_LOCK('conveyor_migrations')"))
        ended = migration.result(60)
    engine.dispose()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "waiting for the primary" in ended.stdout


def test_a_migration_that_was_cut_off_midway_is_completed_by_the_next(stack: Stack) -> None:
    settings = administrator(stack)
    engine = create_engine(database_url(settings, settings.db_name, as_admin=True))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("DROP INDEX ix_products_created_at ON products"))
    ended = migrate(stack)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def wait(stack: Stack, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.migrations.wait"],
        cwd=ROOT,
        env={**stack.env_for("api-1"), **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_whoever_waits_for_the_schema_goes_on_where_it_is_there(stack: Stack) -> None:
    ended = wait(stack)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "the schema will do" in ended.stdout


def test_whoever_waits_in_vain_says_for_what(stack: Stack) -> None:
    ended = wait(stack, DB_PASSWORD="not this one", MIGRATE_WAIT_TIMEOUT_SECONDS="1")
    assert ended.returncode != 0
    assert "no schema of this release after 1 s" in ended.stdout
    assert "DB_PASSWORD is wrong" in ended.stdout
    assert "not this one" not in ended.stdout + ended.stderr
