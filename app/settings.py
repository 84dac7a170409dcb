"""Every setting of API, worker, relay and migrations, read from the environment."""

import socket
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from structured_logging.configuration import LogFormat, LogLevel

HOUR_SECONDS = 3600
BUILT_IN_TASK_MODULES = ("worker.tasks.products", "worker.tasks.diagnostics")

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
CollectorAddress = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]


class Settings(BaseSettings):
    """One immutable set of settings; the environment variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    # Redis
    redis_host: str = Field("localhost", description="Host of the queue.")
    redis_port: Port = Field(6379, description="Port of the queue.")
    redis_db: int = Field(0, ge=0, description="Redis database of the queue; results use the next one.")
    redis_password: SecretStr | None = Field(None, description="Password of the queue, if it asks for one.")

    # MySQL
    db_master_host: str = Field("localhost:3306", description="`host[:port]` that leads to the primary.")
    db_slave1_host: str | None = Field(
        None, description="`host[:port]` of a replica; unset reads the primary."
    )
    db_slave2_host: str | None = Field(None, description="`host[:port]` of a second replica.")
    db_members: int = Field(
        0, ge=0, description="Members the MySQL group should have; fewer is shown as degraded."
    )
    db_user: str = Field("conveyor", description="Account that reads and writes the tables.")
    db_password: SecretStr = Field(description="Password of `DB_USER`. Required.")
    db_name: str = Field("loadbalancer_db", pattern=r"^\w+$", description="Database that holds the tables.")
    db_admin_user: str | None = Field(
        None,
        description="Account that may create `DB_NAME` and `DB_USER`; read by migrations only. "
        "Unset: both must exist.",
    )
    db_admin_password: SecretStr | None = Field(None, description="Password of `DB_ADMIN_USER`.")
    db_tls_ca: Path | None = Field(
        None,
        description="File with the authorities whose certificates MySQL servers must have, on the host that "
        "was asked for. Unset: encrypted if the server can, and not verified.",
    )
    db_pool_size: int = Field(20, ge=1, description="Connections a process keeps per database endpoint.")
    db_connect_timeout_seconds: Seconds = Field(2, description="Longest wait for a database connection.")
    db_read_timeout_seconds: Seconds = Field(10, description="Longest wait for one statement's answer.")
    read_your_writes_timeout_seconds: Seconds = Field(
        0.5,
        description="Longest wait for a replica to reach the client's last write before the primary is read.",
    )

    # API
    api_host: str = Field("0.0.0.0", description="Address the API listens on.")
    api_port: Port = Field(8000, description="Port the API listens on.")
    api_metrics_port: Port = Field(
        0, description="Port of the API's `/metrics`, which then is not on `API_PORT`; 0 leaves it there."
    )
    replica_name: str = Field(
        default_factory=socket.gethostname,
        description="Name of this process in headers, logs and the `requests` table. Default: the host name.",
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Signs the read-your-writes token; equal on every replica. Required by the API.",
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Larger request bodies are refused with 413.")
    prometheus_url: str | None = Field(
        None, description="Address of Prometheus as browsers reach it; the dashboard links to it if set."
    )
    request_log_capacity: int = Field(
        10_000,
        ge=1,
        description="Rows for the `requests` table kept in memory; more are dropped and counted.",
    )
    api_drain_seconds: int = Field(
        5,
        ge=0,
        description="Time at SIGTERM in which the API says that it is not ready and still answers, "
        "so that load balancers turn away first.",
    )
    shutdown_grace_seconds: int = Field(20, ge=1, description="Longest wait for open requests after that.")

    # Tasks
    task_modules: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated Python modules with tasks of your own, besides the built-in ones."
    )
    task_queue: str = Field("default", pattern=r"^[\w.-]+$", description="Redis list that carries the tasks.")
    task_max_retries: int = Field(
        3, ge=0, description="Retries after a failed attempt, unless a task says so."
    )
    task_retry_delay_seconds: Seconds = Field(60, description="Pause before a retry, unless a task says so.")
    task_time_limit_seconds: int = Field(1800, ge=1, description="Hard limit of one attempt.")
    task_lease_seconds: Seconds = Field(
        60, description="An attempt whose worker has been silent for this long is given to another worker."
    )
    task_redelivery_seconds: Seconds = Field(
        120,
        description="A published task that did not start in this time and is not in the queue "
        "is published again.",
    )

    # Worker and relay
    worker_concurrency: int = Field(2, ge=1, description="Processes of a worker that run tasks.")
    worker_queues: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Comma-separated queues a worker takes from; unset takes from every one of them."
    )
    worker_soft_shutdown_seconds: Seconds = Field(
        25, description="Time running tasks get to end at SIGTERM before they return to the queue."
    )
    metrics_host: str = Field(
        "0.0.0.0",
        description="Address that the metrics of worker, relay and, with a port, the API listen on.",
    )
    worker_metrics_port: Port = Field(
        9100, description="Port of the worker's `/metrics`; 0: it measures nothing."
    )
    worker_heartbeat_file: str | None = Field(
        None, description="File touched every second while it consumes."
    )
    worker_ready_file: str | None = Field(None, description="File that exists while the worker consumes.")
    visibility_timeout_seconds: int = Field(
        90, ge=4, description="Redis returns an unacknowledged message after this time without a renewal."
    )
    relay_metrics_port: Port = Field(9101, description="Port of the relay's `/metrics` and `/readyz`.")
    relay_interval_seconds: Seconds = Field(1, description="Pause between two passes of the relay.")
    relay_batch_size: int = Field(500, ge=1, le=5000, description="Most tasks published in one pass.")
    task_retention_days: int = Field(
        90,
        ge=0,
        description="Days after which a task that has ended is removed from the ledger, and with it what its "
        "`Idempotency-Key` stood for; 0: never. Products stay.",
    )
    request_log_retention_days: int = Field(
        30, ge=0, description="Days after which a row of the `requests` table is removed; 0: never."
    )
    backup_max_age_hours: int = Field(
        0, ge=0, description="Age of the last backup at which an alert is due; 0: no backups are expected."
    )

    # Flower
    flower_host: str = Field("0.0.0.0", description="Address Flower listens on.")
    flower_port: Port = Field(5555, description="Port of Flower.")
    flower_basic_auth: SecretStr | None = Field(
        None, description="`user:password` of Flower; it does not start without."
    )

    flower_events: bool = Field(
        default=False,
        description="Flower has every worker send an event per step of each task, to list tasks: that costs "
        "up to half of the throughput. Off, it shows workers and queues.",
    )

    # Migrations
    migrate_primary_timeout_seconds: Seconds = Field(
        600, description="Longest wait of migrations for a primary; a first installation makes one meanwhile."
    )
    migrate_wait_timeout_seconds: Seconds = Field(
        600, description="Longest wait of `python -m app.migrations.wait` for the schema of its release."
    )

    # Everything
    log_level: LogLevel = Field("INFO", description="Least severity logged.")
    log_format: LogFormat = Field("auto", description="`auto` is `console` in a terminal, else `json`.")
    log_exception_text: bool = Field(
        default=False,
        description="Log the texts of exceptions that tasks and requests raise; they may quote payloads.",
    )
    otel_exporter_otlp_endpoint: CollectorAddress | None = Field(
        None,
        description="Base address of an OpenTelemetry collector that takes OTLP over HTTP, for example "
        "`http://collector:4318`. Unset: there are no traces. More: docs/tracing.md.",
    )
    otel_exporter_otlp_traces_endpoint: CollectorAddress | None = Field(
        None,
        description="The whole address for traces, where it is not that base and `/v1/traces`.",
    )
    otel_sdk_disabled: bool = Field(default=False, description="No traces, whatever the addresses are.")
    seed_demo_users: bool = Field(
        default=False, description="Migrations add three demo users to an empty table."
    )

    @field_validator("task_modules", "worker_queues", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
        return value

    @model_validator(mode="after")
    def _admin_has_password(self) -> Self:
        if self.db_admin_user and not self.db_admin_password:
            raise ValueError("DB_ADMIN_USER is set without DB_ADMIN_PASSWORD: set both or neither")
        return self

    @property
    def all_task_modules(self) -> tuple[str, ...]:
        """Built-in modules first, so that a clash of names is reported against the user's module."""
        return (*BUILT_IN_TASK_MODULES, *self.task_modules)

    @property
    def backup_max_age_seconds(self) -> int:
        """The age at which the last backup is too old; 0 where none are expected."""
        return self.backup_max_age_hours * HOUR_SECONDS

    @property
    def replica_hosts(self) -> tuple[str, ...]:
        """The distinct replica endpoints; both names may lead to one load balancer."""
        return tuple(dict.fromkeys(host for host in (self.db_slave1_host, self.db_slave2_host) if host))

    @property
    def traces_endpoint(self) -> str | None:
        """Where traces go; None where there are none."""
        base = self.otel_exporter_otlp_endpoint
        of_the_base = f"{base.removesuffix('/')}/v1/traces" if base else None
        return None if self.otel_sdk_disabled else self.otel_exporter_otlp_traces_endpoint or of_the_base

    def redis_url(self, db: int) -> str:
        """Return the URL of a Redis database, with the password: never log it."""
        secret = f":{self.redis_password.get_secret_value()}@" if self.redis_password else ""
        return f"redis://{secret}{self.redis_host}:{self.redis_port}/{db}"


def load_settings() -> Settings:
    """Read the settings, or end the process with one line per variable that is missing or wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [
            f"  {'_'.join(str(part) for part in one['loc']).upper() or 'settings'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        ]
        message = "the environment does not make valid settings (README, Configuration):\n" + "\n".join(lines)
        raise SystemExit(message) from None
    if settings.db_tls_ca and not settings.db_tls_ca.is_file():
        raise SystemExit(
            f"DB_TLS_CA: there is no file {settings.db_tls_ca}; name the one with the authority of MySQL's "
            "certificates, or leave it unset"
        )
    return settings
