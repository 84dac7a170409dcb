"""A relay that dies or is held up between publishing and marking loses nothing, and stops no other."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from app.database.routing import Database
from app.metrics import DatabaseMetrics
from app.tasks.broker import Broker, Message
from tests.stack.waiting import wait_until
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.relays import accept_for_later, queued_ids, relay_of

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _nothing_is_left(ledger: Ledger) -> Iterator[None]:
    yield
    ledger.delete_tasks()


class HeldBroker(Broker):
    """A broker of a relay that is held up after its messages have arrived."""

    def __init__(self, ledger: Ledger, then: Callable[[], None]) -> None:
        self._ledger = ledger
        self._then = then

    def publish(self, messages: Sequence[Message]) -> None:
        self._ledger.broker.publish(messages)
        self._then()


def test_a_relay_that_is_held_up_before_it_marks_keeps_others_from_publishing_twice(ledger: Ledger) -> None:
    ids = accept_for_later(ledger, 20)
    others: list[int] = []

    relay_of(ledger, HeldBroker(ledger, lambda: others.append(relay_of(ledger).publish_new()))).publish_new()

    assert others == [0]
    assert queued_ids(ledger) == Counter(ids)


def test_a_relay_that_dies_before_it_marks_leaves_the_tasks_to_others(ledger: Ledger) -> None:
    ids = accept_for_later(ledger, 20)

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relay_of(ledger, HeldBroker(ledger, die)).publish_new()
    assert relay_of(ledger).publish_new() == 20

    assert queued_ids(ledger) == Counter(ids + ids), "twice, which does no harm, and not lost"
    assert relay_of(ledger).publish_new() == 0


def test_a_relay_that_is_lost_before_it_marks_gives_up_its_locks(ledger: Ledger) -> None:
    ids = accept_for_later(ledger, 20)
    impatient = Database(ledger.settings, DatabaseMetrics(CollectorRegistry()), idle_seconds=1)
    published: list[int] = []

    def others_publish() -> bool:
        published.append(relay_of(ledger).publish_new())
        return published[-1] > 0

    def fall_silent() -> None:
        wait_until(others_publish, "the tasks are free", 10)

    with pytest.raises(SQLAlchemyError):
        relay_of(ledger, HeldBroker(ledger, fall_silent), impatient).publish_new()
    impatient.dispose()

    assert published[0] == 0, "the silent relay held its locks"
    assert sum(published) == 20
    assert queued_ids(ledger) == Counter(ids + ids)
