"""The agent's configuration; every value comes from the environment."""

from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mysql_agent.address import Address, Member, check_members
from structured_logging.configuration import LogFormat, LogLevel


def _members(value: object) -> object:
    """Read `mysql-0=host:port,mysql-1=host:port`."""
    if not isinstance(value, str):
        return value
    return tuple(Member.parse(part) for part in value.split(",") if part.strip())


def _address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}$")]
# MySQL keeps the credentials of START GROUP_REPLICATION in columns of this width.
RecoveryPassword = Annotated[SecretStr, Field(min_length=1, max_length=32)]
AccountName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
DatabaseName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]
Password = Annotated[SecretStr, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0)]


class AgentSettings(BaseSettings):
    """Read from MYSQL_AGENT_*; LOG_LEVEL and LOG_FORMAT are shared with the other processes."""

    model_config = SettingsConfigDict(
        env_prefix="MYSQL_AGENT_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    name: str = "mysql-0"
    members: Annotated[tuple[Member, ...], NoDecode, BeforeValidator(_members), Field(min_length=1)]
    members_file: Path | None = None  # instead of `members`, and may be changed while the agent runs
    admin_address: Annotated[Address, NoDecode, BeforeValidator(_address)] = Address("127.0.0.1", 33062)
    user: AccountName
    password: Password
    recovery_user: AccountName
    recovery_password: RecoveryPassword
    http_host: str = "0.0.0.0"
    http_port: int = Field(default=8008, ge=0, le=65535)
    lock_file: Path | None = None  # of members on one machine
    lease: ObjectName | None = None  # of members in Kubernetes, with the namespace
    kubernetes_namespace: ObjectName | None = None
    kubernetes_account: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    kubernetes_timeout_seconds: Seconds = 2.0
    tls_ca: Path | None = None  # whose certificates the other members have; unset: any is taken
    tls_certificate: Path | None = None  # the own server's, which is told when the file is another one
    handover_directory: Path | None = None  # where the files `stopping` and `released` are exchanged
    interval_seconds: Seconds = 0.5  # a new primary is announced so soon after it was made one in order
    busy_interval_seconds: Seconds = 0.5  # while this member or its group is not in its final state
    retry_seconds: Seconds = 2.5  # after a refused START GROUP_REPLICATION
    query_timeout_seconds: Seconds = 2.0
    start_timeout_seconds: Seconds = 120.0
    stale_seconds: Seconds = 10.0  # an older observation is no ground for sending clients here
    max_replica_queue: int = Field(default=1000, gt=0)
    log_level: LogLevel = Field(default="INFO", validation_alias="LOG_LEVEL")
    log_format: LogFormat = Field(default="auto", validation_alias="LOG_FORMAT")

    @model_validator(mode="before")
    @classmethod
    def _members_may_be_in_a_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        if not (file := values.get("members_file")):
            return values
        try:
            return {**values, "members": Path(file).read_text(encoding="utf-8")}
        except OSError as error:
            raise ValueError(f"MYSQL_AGENT_MEMBERS_FILE cannot be read: {error}") from error

    @model_validator(mode="after")
    def _members_are_consistent(self) -> Self:
        check_members(self.members, self.name)
        return self

    @model_validator(mode="after")
    def _one_lock_is_chosen(self) -> Self:
        if bool(self.lease) != bool(self.kubernetes_namespace):
            raise ValueError("set MYSQL_AGENT_LEASE and MYSQL_AGENT_KUBERNETES_NAMESPACE together")
        if bool(self.lock_file) == bool(self.lease):
            raise ValueError(
                "set either MYSQL_AGENT_LOCK_FILE (members on one machine) or MYSQL_AGENT_LEASE with "
                "MYSQL_AGENT_KUBERNETES_NAMESPACE (members in Kubernetes)"
            )
        return self

    @property
    def own(self) -> Member:
        return next(member for member in self.members if member.name == self.name)

    @property
    def peers(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.name != self.name)


class AccountSettings(BaseSettings):
    """The accounts of a new member, read from the variables that name them elsewhere too."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    agent_user: AccountName = Field(validation_alias="MYSQL_AGENT_USER")
    agent_password: Password = Field(validation_alias="MYSQL_AGENT_PASSWORD")
    recovery_user: AccountName = Field(validation_alias="MYSQL_AGENT_RECOVERY_USER")
    recovery_password: RecoveryPassword = Field(validation_alias="MYSQL_AGENT_RECOVERY_PASSWORD")
    admin_user: AccountName = Field(validation_alias="DB_ADMIN_USER")
    admin_password: Password = Field(validation_alias="DB_ADMIN_PASSWORD")
    database: DatabaseName = Field(default="loadbalancer_db", validation_alias="DB_NAME")
    log_level: LogLevel = Field(default="INFO", validation_alias="LOG_LEVEL")
    log_format: LogFormat = Field(default="auto", validation_alias="LOG_FORMAT")

    @property
    def secrets(self) -> tuple[str, ...]:
        passwords = (self.agent_password, self.recovery_password, self.admin_password)
        return tuple(password.get_secret_value() for password in passwords)


class AccountsFileSettings(AccountSettings):
    """Where `python -m mysql_agent.accounts` writes to: MYSQL_ACCOUNTS_FILE."""

    file: Path = Field(validation_alias="MYSQL_ACCOUNTS_FILE")


class InitializeSettings(AccountSettings):
    """Read from MYSQL_INIT_* and from the variables that name the accounts."""

    model_config = SettingsConfigDict(env_prefix="MYSQL_INIT_")

    datadir: Path
    defaults_file: Path
    command: str = "mysqld"  # ends with the program: its options belong into the defaults file
    timeout_seconds: Seconds = 600.0


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def load(kind: type[AnySettings]) -> AnySettings:
    """Read settings, or end the process with one line per variable that is missing or wrong."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        lines = [
            f"  {_variable(kind, prefix, one['loc'])}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        ]
        message = "the environment does not make valid settings:\n" + "\n".join(lines)
        raise SystemExit(message) from None


def _variable(kind: type[BaseSettings], prefix: str, location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    return f"{prefix}{name}".upper() if name in kind.model_fields else name
