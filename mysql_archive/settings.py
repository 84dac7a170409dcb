"""The archive's configuration; every value comes from the environment."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

CONFIG = SettingsConfigDict(env_prefix="MYSQL_ARCHIVE_", frozen=True, hide_input_in_errors=True)


class ArchiveSettings(BaseSettings):
    """Where transactions come from and where they go."""

    model_config = CONFIG

    host: str
    port: int = Field(default=3306, ge=1, le=65535)
    user: str
    password: Annotated[SecretStr, Field(min_length=1)]
    # whose certificate the primary has; unset: any is taken
    tls_ca: Path | None = None
    backups: Path = Path("/backup")
    retention_days: int = Field(default=14, ge=1)
    # False where the archive is read next, which then tells how far it goes.
    required: bool = True


class PlanSettings(BaseSettings):
    """The second to go back to, and where the way there is written."""

    model_config = CONFIG

    until: AwareDatetime
    backups: Path = Path("/backup")
    plan: Path = Path("/work/plan")


T = TypeVar("T", bound=BaseSettings)


def load(kind: type[T]) -> T:
    """Read settings, or end with one line per variable that is missing or wrong."""
    try:
        return kind()
    except ValidationError as error:
        lines = [
            f"  MYSQL_ARCHIVE_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise SystemExit("the environment does not make valid settings:\n" + "\n".join(lines)) from None
