"""What Flower is told, and when it refuses."""

import pytest

from app.settings import Settings
from worker.flower import RefusedError, flower_options


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
