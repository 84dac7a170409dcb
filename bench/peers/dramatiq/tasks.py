"""Dramatiq with its Redis broker and the middleware that comes with it."""

import blocking
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from settings import QUEUE_URL, RECOVERY_SECONDS

# a worker that is silent for the time-out is taken for dead, when maintenance happens to run next
recovery = (
    {"heartbeat_timeout": RECOVERY_SECONDS * 1000, "maintenance_chance": 1_000_000}
    if RECOVERY_SECONDS
    else {}
)
broker = RedisBroker(url=QUEUE_URL, **recovery)
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)


@dramatiq.actor(max_retries=3)
def create_product(user_id: int) -> None:
    blocking.create_product(user_id, CurrentMessage.get_current_message().message_id)
