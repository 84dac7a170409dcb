"""The configuration of `python -m app.credentials`; every value comes from the environment."""

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _labels(value: object) -> object:
    """Read `name=value,name=value`."""
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
    if any(not (name and separator) for name, separator, _ in pairs):
        raise ValueError(f"{value!r} is not name=value,name=value")
    return {name: text for name, _, text in pairs}


class CredentialsSettings(BaseSettings):
    """Read from CREDENTIALS_*; LOG_LEVEL and LOG_FORMAT are shared with the other processes."""

    model_config = SettingsConfigDict(env_prefix="CREDENTIALS_", frozen=True, env_ignore_empty=True)

    secret: str = Field(pattern=r"^[a-z0-9.-]{1,253}$")
    namespace: str = Field(pattern=r"^[a-z0-9-]{1,63}$")
    labels: Annotated[dict[str, str], NoDecode, BeforeValidator(_labels)] = Field(default_factory=dict)
    deadline_seconds: float = Field(120, gt=0)
    request_timeout_seconds: float = Field(5, gt=0)
    log_level: str = Field("INFO", validation_alias="LOG_LEVEL")


def load_settings() -> CredentialsSettings:
    """Read the settings, or end the process with one line per variable that is missing or wrong."""
    try:
        return CredentialsSettings()
    except ValidationError as error:
        lines = [
            f"  CREDENTIALS_{'_'.join(str(part) for part in one['loc']).upper()}: {one['msg']}"
            for one in error.errors(include_url=False)
        ]
        raise SystemExit("the environment is not complete:\n" + "\n".join(lines)) from None
