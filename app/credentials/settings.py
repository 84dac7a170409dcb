"""The configuration of `python -m app.credentials`; every value comes from the environment."""

from typing import Annotated, Self, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from structured_logging.configuration import LogFormat, LogLevel


def _labels(value: object) -> object:
    """Read `name=value,name=value`."""
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    if any(not (name and separator) for name, separator, _ in pairs):
        raise ValueError(f"{value!r} is not name=value,name=value")
    return {name: text for name, _, text in pairs}


def _names(value: object) -> object:
    """Read `name,name`."""
    if not isinstance(value, str):
        return value
    return frozenset(part.strip() for part in value.split(",") if part.strip())


ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}$")]


class CredentialsSettings(BaseSettings):
    """Read from CREDENTIALS_*; LOG_LEVEL and LOG_FORMAT are shared with the other processes."""

    model_config = SettingsConfigDict(env_prefix="CREDENTIALS_", frozen=True, env_ignore_empty=True)

    secret: ObjectName | None = None  # of the passwords; None: somebody else makes it
    tls_secret: ObjectName | None = None  # of the MySQL servers' certificates; None: as above
    tls_names: Annotated[frozenset[str], NoDecode, BeforeValidator(_names)] = frozenset()
    tls_days: int = Field(90, ge=1, le=825)
    namespace: str = Field(pattern=r"^[a-z0-9-]{1,63}$")
    labels: Annotated[dict[str, str], NoDecode, BeforeValidator(_labels)] = Field(default_factory=dict)
    deadline_seconds: float = Field(120, gt=0)
    request_timeout_seconds: float = Field(5, gt=0)
    log_level: LogLevel = Field("INFO", validation_alias="LOG_LEVEL")
    log_format: LogFormat = Field("auto", validation_alias="LOG_FORMAT")

    @model_validator(mode="after")
    def _something_is_asked_for(self) -> Self:
        if not (self.secret or self.tls_secret):
            raise ValueError("set CREDENTIALS_SECRET, CREDENTIALS_TLS_SECRET or both")
        if self.tls_secret and not self.tls_names:
            raise ValueError("set CREDENTIALS_TLS_NAMES to the servers' names")
        return self


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Read settings, or end the process with one line per variable that is missing or wrong."""
    try:
        return kind()
    except ValidationError as error:
        lines = [f"  {_variable(kind, one['loc'])}: {one['msg']}" for one in error.errors(include_url=False)]
        raise SystemExit("the environment is not complete:\n" + "\n".join(lines)) from None


def _variable(kind: type[BaseSettings], location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    prefix = kind.model_config.get("env_prefix", "") if name in kind.model_fields else ""
    return f"{prefix}{name}".upper()
