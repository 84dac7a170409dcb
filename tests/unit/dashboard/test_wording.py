"""What the dashboard says."""

from datetime import UTC, datetime, timedelta

import pytest

from app.dashboard.wording import LONGEST_TEXT, ago, duration, result_in_words, shorten, title

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0042, "4 ms"),
        (3.24, "3.2 s"),
        (14.4, "14 s"),
        (125, "2 min 5 s"),
        (7500, "2 h 5 min"),
        (93_600, "1 d 2 h"),
    ],
)
def test_a_duration_is_as_exact_as_a_reader_cares_for(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "just now"),
        (0.4, "just now"),
        (5.2, "5 s ago"),
        (179, "2 min ago"),
        (7200, "2 h ago"),
        (90_000, "1 d ago"),
    ],
)
def test_the_past_is_told_in_the_largest_unit(seconds: float, said: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == said


def test_the_name_of_a_task_becomes_words() -> None:
    assert title("create_product_from_user") == "Create product from user"


def test_a_created_product_is_told_with_name_and_price() -> None:
    result = {
        "product_id": 7,
        "name": "Product for Ada",
        "price": "42.50",
        "quantity": 3,
        "category": "Books",
    }
    assert result_in_words(result) == "Product for Ada: price 42.50, 3 pieces, category Books."


def test_a_tested_worker_is_told_with_role_and_round_trips() -> None:
    result = {
        "worker": "worker-1",
        "database_role": "primary",
        "database_server": "mysql-0:3306",
        "database_round_trip_ms": 0.8,
        "redis_round_trip_ms": 0.3,
    }
    assert result_in_words(result) == "worker-1 reached the primary database in 0.8 ms and Redis in 0.3 ms."


def test_the_result_of_a_task_of_ones_own_is_listed_as_it_is() -> None:
    assert result_in_words({"greeting": "hello", "times": 2}) == "greeting: hello, times: 2"


@pytest.mark.parametrize("result", [None, {}])
def test_a_task_without_result_is_done(result: dict[str, object] | None) -> None:
    assert result_in_words(result) == "Done."


def test_only_the_first_line_of_a_text_goes_into_a_row() -> None:
    assert shorten("ValueError: no\n  at line 3") == "ValueError: no"


def test_a_long_text_is_cut_to_the_row() -> None:
    assert len(shorten("x" * 1000)) == LONGEST_TEXT
