"""What Flower is told, and when it refuses."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from flower.views.broker import BrokerView  # type: ignore[import-untyped] # it has no types
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from app.settings import Settings
from app.tasks.registry import TaskRegistry
from worker.celery_app import create_celery
from worker.flower import AllQueues, RefusedError, _run_nothing, _turn_events_off, flower_options


def make_settings(**values: object) -> Settings:
    return Settings.model_validate({"db_password": "secret", "redis_password": "hidden", **values})


@pytest.mark.parametrize("value", [None, "password", ":password", "user:"])
def test_flower_refuses_to_start_without_a_password(value: str | None) -> None:
    with pytest.raises(RefusedError, match="FLOWER_BASIC_AUTH"):
        flower_options(make_settings(flower_basic_auth=value))


def test_flower_looks_on_and_costs_nothing() -> None:
    options = flower_options(make_settings(flower_basic_auth="ada:secret", flower_port=7000))

    assert options["basic_auth"] == ["ada:secret"]
    assert options["read_only"]
    assert not options["enable_events"]
    assert (options["port"], options["url_prefix"]) == (7000, "flower")
    assert options["max_tasks"] <= 10_000


def test_a_password_that_flower_cannot_compare_is_refused() -> None:
    with pytest.raises(RefusedError, match="beyond ASCII"):
        flower_options(make_settings(flower_basic_auth="ada:geheimnüß"))


def test_events_cost_nobody_anything_who_did_not_ask_for_them() -> None:
    ask = make_settings(flower_basic_auth="ada:secret", flower_events=True)
    assert flower_options(ask)["enable_events"]


def test_a_queue_that_no_worker_takes_from_is_shown() -> None:
    """Flower's own page would show the queue `default` alone, as a worker takes from it."""
    settings = make_settings(task_modules=("tests.stack.sample_tasks",))
    celery = create_celery(settings, TaskRegistry.load(settings.all_task_modules), _run_nothing)
    workers = {"celery@worker-1": {"active_queues": [{"name": "default"}]}}
    view = SimpleNamespace(application=SimpleNamespace(workers=workers), capp=celery)
    assert BrokerView.get_active_queue_names(view) == ["default"]
    assert AllQueues.get_active_queue_names(view) == ["default", "elsewhere"]  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [OperationalError("refused"), RedisConnectionError("closed")])
def test_a_flower_that_cannot_take_its_order_back_ends_all_the_same(error: Exception) -> None:
    def refuse(**_: object) -> None:
        raise error

    connected = SimpleNamespace(
        connection_for_write=nullcontext, control=SimpleNamespace(disable_events=refuse)
    )
    _turn_events_off(connected)  # type: ignore[arg-type]
