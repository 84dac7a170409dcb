"""Tasks ended per minute, as a picture and in words."""

from app.dashboard.sparkline import HEIGHT, LEAST_HEIGHT, Sparkline, in_words
from tests.unit.dashboard.operations_status import minutes


def test_bars_stand_on_the_ground_one_beside_the_other() -> None:
    drawn = Sparkline.of(minutes(5, 0, 10))
    assert [bar.x for bar in drawn.bars] == [0, 10, 20]
    assert drawn.width == 30
    assert [len(bar.segments) for bar in drawn.bars] == [1, 0, 1]
    for bar in (drawn.bars[0], drawn.bars[2]):
        assert bar.segments[0].y + bar.segments[0].height == HEIGHT
    assert drawn.bars[2].segments[0].height == 2 * drawn.bars[0].segments[0].height


def test_one_failure_among_a_thousand_successes_is_seen_on_top_of_them() -> None:
    succeeded, failed = Sparkline.of(minutes(1000, failed=1)).bars[0].segments
    assert (succeeded.outcome, failed.outcome) == ("succeeded", "failed")
    assert failed.height == LEAST_HEIGHT
    assert failed.y + failed.height == succeeded.y
    assert failed.y >= 0


def test_each_bar_says_its_counts() -> None:
    assert Sparkline.of(minutes(7, 1200, failed=3)).bars[1].words == (
        "12:00 UTC: 1,200 succeeded, 3 failed, 0 cancelled"
    )


def test_the_words_name_the_sum_and_the_busiest_minute() -> None:
    assert in_words(minutes(5, 1200, 8, failed=2)) == (
        "1,215 ended in the last 3 minutes: 1,213 succeeded, 2 failed. "
        "The most in one minute were 1,200, at 11:59 UTC."
    )


def test_a_quiet_hour_is_said_and_draws_nothing() -> None:
    quiet = minutes(*[0] * 60)
    assert in_words(quiet) == "No task ended in the last 60 minutes."
    assert not any(bar.segments for bar in Sparkline.of(quiet).bars)
