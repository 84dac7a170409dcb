from app.pagination import cut


def test_a_short_page_is_the_last() -> None:
    assert cut([3, 2], 2) == ([3, 2], None)


def test_one_row_more_than_asked_for_announces_the_next_page() -> None:
    assert cut([3, 2, 1], 2) == ([3, 2], 2)
