"""The client for everything in Redis that is not Celery's."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.settings import Settings


def connect_redis(settings: Settings, timeout_seconds: float) -> Redis:
    """Return a client that connects at first use and gives up after `timeout_seconds`, without retries."""
    return Redis(
        host=settings.redis_host,
        port=settings.redis_port,
        db=settings.redis_db,
        password=settings.redis_password.get_secret_value() if settings.redis_password else None,
        socket_connect_timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        client_name=settings.replica_name,
    )
