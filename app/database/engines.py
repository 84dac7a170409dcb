"""One connection pool per MySQL endpoint."""

from typing import Any, Literal

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import PoolResetState

from app.database.comments import comment_statements
from app.database.connection import TRACKING_FLAG, TRACKING_VARIABLE
from app.database.errors import drop_demoted_connections
from app.database.roles import keep_to_primary, keep_to_replicas
from app.database.tls import explain_refused_certificates, tls_arguments
from app.settings import Settings

IsolationLevel = Literal["AUTOCOMMIT", "READ COMMITTED"]

POOL_WAIT_SECONDS = 3
MAX_CONNECTION_AGE_SECONDS = 300
# A pool may have one connection for all its reads: they are spread anew this soon after a member is back.
MAX_REPLICA_CONNECTION_AGE_SECONDS = 20
DEFAULT_PORT = 3306


def pool_limit(settings: Settings) -> int:
    """Return the most connections that a pool opens: twice as many as it keeps."""
    return 2 * settings.db_pool_size


def parse_host(address: str) -> tuple[str, int]:
    """Split `host[:port]`; the port defaults to MySQL's."""
    host, separator, port = address.rpartition(":")
    if not separator:
        return address, DEFAULT_PORT
    if not port.isdigit():
        raise ValueError(f"{address!r} is no host:port; give for example mysql:3306")
    return host, int(port)


def database_url(
    settings: Settings, database: str | None, address: str | None = None, *, as_admin: bool = False
) -> URL:
    """Return the URL of a database, on the primary unless an address says otherwise."""
    host, port = parse_host(address or settings.db_master_host)
    user, password = settings.db_user, settings.db_password
    if as_admin and settings.db_admin_user and settings.db_admin_password:
        user, password = settings.db_admin_user, settings.db_admin_password
    return URL.create(
        "mysql+pymysql",
        username=user,
        password=password.get_secret_value(),
        host=host,
        port=port,
        database=database,
        query={"charset": "utf8mb4"},
    )


def connect_to_primary(
    settings: Settings, isolation_level: IsolationLevel, idle_seconds: int | None = None
) -> Engine:
    """Return the pool of the endpoint that leads to the primary.

    A client that says nothing for `idle_seconds` is taken for dead: the server drops the connection,
    and with it the locks that a lost host would else hold for hours. None leaves the server's own time.
    """
    idle = "" if idle_seconds is None else f", SESSION wait_timeout = {idle_seconds}"
    variables = f", {TRACKING_VARIABLE}{idle}"
    age = MAX_CONNECTION_AGE_SECONDS
    engine = _pool(settings.db_master_host, settings, isolation_level, age, variables)
    keep_to_primary(engine)
    return engine


def connect_to_replica(address: str, settings: Settings) -> Engine:
    """Return the pool of an endpoint that leads to replicas."""
    engine = _pool(address, settings, "AUTOCOMMIT", MAX_REPLICA_CONNECTION_AGE_SECONDS)
    keep_to_replicas(engine)
    return engine


def _pool(
    address: str, settings: Settings, isolation_level: IsolationLevel, max_age: int, variables: str = ""
) -> Engine:
    """Make a pool that connects at first use, within the settings' time-outs."""
    engine = create_engine(
        database_url(settings, settings.db_name, address),
        hide_parameters=True,  # they hold payloads and passwords
        isolation_level=isolation_level,
        pool_size=settings.db_pool_size,
        max_overflow=pool_limit(settings) - settings.db_pool_size,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_recycle=max_age,
        pool_use_lifo=True,
        pool_reset_on_return=None,  # _roll_back_what_is_open does it
        skip_autocommit_rollback=True,
        connect_args={
            "client_flag": TRACKING_FLAG,
            "connect_timeout": settings.db_connect_timeout_seconds,
            "read_timeout": settings.db_read_timeout_seconds,
            "write_timeout": settings.db_read_timeout_seconds,
            "init_command": f"SET time_zone = '+00:00'{variables}",
            **tls_arguments(settings),
        },
    )
    _roll_back_what_is_open(engine)
    explain_refused_certificates(engine)
    drop_demoted_connections(engine)
    comment_statements(engine)
    return engine


def _roll_back_what_is_open(engine: Engine) -> None:
    """Return connections to the pool without a transaction, and without a round trip if there is none.

    A session that failed has rolled back by itself; this is for whoever forgets to.
    """

    @event.listens_for(engine, "reset")
    def _on_reset(connection: Any, _record: object, state: PoolResetState) -> None:  # noqa: ANN401 - a PyMySQL connection
        if state.terminate_only or state.transaction_was_reset:
            return
        if connection.may_have_transaction:
            connection.rollback()
