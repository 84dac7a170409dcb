"""How the schema in the database compares with the migrations of this release."""

from enum import Enum

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection


class SchemaState(Enum):
    CURRENT = "current"
    BEHIND = "behind"
    # After a rollback: migrations only add, so a release works on the schema of its successor.
    NEWER = "newer than this release"


def alembic_config() -> Config:
    """Return the configuration that finds the migrations beside this module."""
    config = Config()
    config.set_main_option("script_location", "app:migrations")
    return config


def schema_state(connection: Connection) -> SchemaState:
    """Compare what the database says of itself with the newest migration of this release."""
    script = ScriptDirectory.from_config(alembic_config())
    present = MigrationContext.configure(connection).get_current_heads()
    if set(present) == set(script.get_heads()):
        return SchemaState.CURRENT
    return (
        SchemaState.BEHIND if all(_is_known(script, revision) for revision in present) else SchemaState.NEWER
    )


def _is_known(script: ScriptDirectory, revision: str) -> bool:
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
