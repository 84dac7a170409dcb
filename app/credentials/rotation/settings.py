"""The configuration of `python -m app.credentials.rotation`; every value comes from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.credentials.settings import CredentialsSettings, ObjectName
from structured_logging.configuration import LogFormat, LogLevel


def _listed(value: object) -> object:
    """Read `name,name`."""
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class RotationSettings(BaseSettings):
    """Read from ROTATION_*, and from the variables that name servers and accounts elsewhere too."""

    model_config = SettingsConfigDict(env_prefix="ROTATION_", frozen=True, env_ignore_empty=True)

    secret: ObjectName = Field(validation_alias="CREDENTIALS_SECRET")
    namespace: str = Field(validation_alias="CREDENTIALS_NAMESPACE")
    deployments: Listed = Field(min_length=1)
    statefulsets: Listed = Field(min_length=1)
    restart_seconds: float = Field(900, gt=0)  # of one workload: every MySQL member may take two minutes
    primary: str = Field(validation_alias="DB_MASTER_HOST")
    tls_ca: Path | None = Field(None, validation_alias="DB_TLS_CA")
    user: str = Field(validation_alias="DB_USER")
    admin_user: str = Field(validation_alias="DB_ADMIN_USER")
    agent_user: str = Field(validation_alias="MYSQL_AGENT_USER")
    recovery_user: str = Field(validation_alias="MYSQL_AGENT_RECOVERY_USER")
    redis_host: str = Field(validation_alias="REDIS_HOST")
    redis_port: int = Field(6379, validation_alias="REDIS_PORT")
    log_level: LogLevel = Field("INFO", validation_alias="LOG_LEVEL")
    log_format: LogFormat = Field("auto", validation_alias="LOG_FORMAT")

    @property
    def credentials(self) -> CredentialsSettings:
        """Where the Secret is."""
        return CredentialsSettings(secret=self.secret, namespace=self.namespace)
