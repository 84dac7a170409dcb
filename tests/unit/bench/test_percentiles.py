import pytest

from bench.percentiles import percentiles


def test_the_middle_the_tail_and_the_worst_of_a_hundred_and_one_samples() -> None:
    assert percentiles([float(number) for number in range(101)]) == (50.0, 99.0, 100.0)


def test_the_order_of_the_samples_does_not_matter() -> None:
    assert percentiles([3.0, 1.0, 2.0]) == percentiles([1.0, 2.0, 3.0])


def test_the_tail_never_lies_beyond_the_largest_sample() -> None:
    assert percentiles([1.0, 10.0]).p99 <= 10.0


def test_one_sample_is_its_own_middle_and_tail() -> None:
    assert percentiles([7.0]) == (7.0, 7.0, 7.0)


def test_no_samples_are_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentiles([])
