"""The text of a failure, and whether another attempt follows."""

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import IntegrityError

from app.tasks.context import PermanentTaskError
from worker.failures import InvalidPayloadError, describe, deserves_retry
from worker.time_limits import LONGEST_MARGIN_SECONDS, time_limits


class UserReference(BaseModel):
    user_id: int = Field(ge=1)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no luck"), "ValueError: no luck"),
        (KeyError("name"), "KeyError: 'name'"),
        (RuntimeError(), "RuntimeError"),
        (PermanentTaskError("there is no user 7"), "there is no user 7"),
        (
            SoftTimeLimitExceeded(),
            "SoftTimeLimitExceeded: the task ran longer than its time limit allows",
        ),
    ],
)
def test_the_text_is_class_and_message(error: Exception, text: str) -> None:
    assert describe(error) == text


def test_the_text_of_a_database_error_holds_no_values() -> None:
    error = IntegrityError("INSERT INTO users", {"email": "ada@example.com"}, Exception(1452, "no such row"))

    assert describe(error) == "Exception: (1452, 'no such row')"


def test_an_invalid_payload_is_named_by_place() -> None:
    with pytest.raises(ValidationError) as caught:
        UserReference.model_validate({"user_id": 0})

    error = InvalidPayloadError(caught.value)

    assert describe(error) == (
        "the payload does not fit the task any more: user_id: Input should be greater than or equal to 1"
    )
    assert not deserves_retry(error, attempt=1, max_attempts=4)


def test_the_last_attempt_is_not_followed_by_another() -> None:
    assert deserves_retry(ValueError(), attempt=3, max_attempts=4)
    assert not deserves_retry(ValueError(), attempt=4, max_attempts=4)


@pytest.mark.parametrize(("hard", "soft"), [(1800, 1746), (7200, 7140), (60, 58.2), (10, 9), (1, 0.5)])
def test_the_soft_limit_leaves_time_to_record_the_failure(hard: float, soft: float) -> None:
    assert time_limits(hard).soft == pytest.approx(soft)


@given(st.floats(min_value=0.01, max_value=1e6))
def test_the_soft_limit_is_always_before_the_hard_one(hard: float) -> None:
    limits = time_limits(hard)

    assert 0 < limits.soft < limits.hard == hard
    assert limits.hard - limits.soft <= LONGEST_MARGIN_SECONDS + 1e-6
