from bench.tables import for_markdown, for_terminal

ROWS = [["", "idle", "busy"], ["api", "1", "22"], ["mysqld", "333", "4"]]


def test_columns_of_numbers_are_aligned_to_the_right() -> None:
    assert for_terminal(ROWS, numbers_right=True).splitlines() == [
        "        idle  busy",
        "──────  ────  ────",
        "api        1    22",
        "mysqld   333     4",
    ]


def test_columns_of_words_are_aligned_to_the_left_without_trailing_spaces() -> None:
    assert for_terminal(ROWS).splitlines()[2:] == ["api     1     22", "mysqld  333   4"]


def test_markdown_has_the_same_cells_and_aligns_numbers_to_the_right() -> None:
    assert for_markdown(ROWS, numbers_right=True).splitlines() == [
        "|  | idle | busy |",
        "| --- | --: | --: |",
        "| api | 1 | 22 |",
        "| mysqld | 333 | 4 |",
    ]
