import pytest
from pymysql.cursors import RE_INSERT_VALUES
from sqlalchemy import insert, text
from sqlalchemy.dialects import mysql

from app.database.comments import commented
from app.models import RequestLog
from app.outbox.repository import BY_STATUS

IDS = {"request_id": "0af7651916cd43dd", "task_id": "0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77", "attempt": 1}
COMMENT = "/* request_id='0af7651916cd43dd',task_id='0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77' */"


def test_a_statement_says_for_which_request_and_task_it_runs() -> None:
    assert commented("SELECT 1", IDS) == f"{COMMENT} SELECT 1"
    assert commented("SELECT 1", {"request_id": "r1"}) == "/* request_id='r1' */ SELECT 1"


def test_a_statement_of_nobody_stays_as_it_is() -> None:
    assert commented("SELECT 1", {}) == "SELECT 1"


@pytest.mark.parametrize(
    "hostile",
    [
        "*/ DROP TABLE tasks; /*",
        "x' */",
        "a\nb",
        "100%s",
        "",
        "é",
        "x" * 65,
        7,
        None,
        "r1\n",
        "/*",
        "`",
        '"',
        "\\",
    ],
)
def test_an_id_that_could_end_the_comment_is_left_out(hostile: object) -> None:
    assert commented("SELECT 1", {"request_id": hostile, "task_id": hostile}) == "SELECT 1"


def test_many_rows_are_still_inserted_by_one_statement() -> None:
    statement = str(insert(RequestLog).values(path="/").compile(dialect=mysql.dialect(paramstyle="pyformat")))
    assert RE_INSERT_VALUES.match(statement)
    bulk = commented(statement, IDS, is_bulk=True)
    assert COMMENT in bulk
    assert RE_INSERT_VALUES.match(bulk)


def test_a_hint_of_the_optimizer_stays_behind_its_word() -> None:
    hinted = str(text(f"SELECT {BY_STATUS} 1"))
    assert commented(hinted, IDS) == f"{COMMENT} {hinted}"
