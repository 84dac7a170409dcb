import re
from pathlib import Path

import pytest

from app.settings import Settings
from docs.generate import README, configuration_table, endpoints_table, renewed
from stack.ports import fixed_ports

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")


def test_the_generated_tables_are_current() -> None:
    assert renewed(TEXT) == TEXT, "run `make docs` and commit README.md"


def test_make_docs_renews_the_tables() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^docs: .*\n\t@\$\(RUN\) docs\.generate$", makefile, re.MULTILINE)
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY"))
    assert "docs" in phony.split(), "docs is a folder too, so make must be told"


def test_every_setting_has_a_row_that_says_what_it_is_for() -> None:
    rows = [line.split(" | ") for line in configuration_table().splitlines()[2:]]
    assert [row[0] for row in rows] == [f"| `{name.upper()}`" for name in Settings.model_fields]
    assert all(len(row[2]) > len(" |") for row in rows)


@pytest.mark.parametrize(
    ("variable", "default"),
    [
        ("DB_PASSWORD", "required"),
        ("REDIS_PASSWORD", "unset"),
        ("REPLICA_NAME", "the host name"),
        ("TASK_MODULES", "none"),
        ("SEED_DEMO_USERS", "`false`"),
        ("REDIS_PORT", "`6379`"),
    ],
)
def test_a_default_is_shown_as_one_would_write_it(variable: str, default: str) -> None:
    assert f"| `{variable}` | {default} |" in configuration_table()


def test_the_endpoints_that_people_know_are_there() -> None:
    table = endpoints_table()
    for endpoint in (
        "POST /api/worker/test",
        "GET /api/worker/status",
        "GET /api/tasks/{task_id}",
        "POST /api/users/{user_id}/create-product",
    ):
        assert f"| `{endpoint}` |" in table


def test_a_lost_marker_is_reported_and_not_papered_over() -> None:
    with pytest.raises(ValueError, match="end of configuration"):
        renewed(TEXT.replace("<!-- end of configuration -->", ""))


def test_the_example_is_what_the_file_says() -> None:
    found = re.search(r"<!-- example: .* -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    assert found
    assert (ROOT / "examples" / "greetings.py").read_text(encoding="utf-8").endswith(found[1])


def test_the_ports_that_the_documents_name_are_those_of_make_up() -> None:
    ports = fixed_ports({})
    named = {"prometheus": 18093, "haproxy-stats": 18090, "mysql-primary": 18091, "mysql-replicas": 18092}
    assert {name: ports[name] for name in named} == named
    assert (ports["http"], ports["redis"]) == (8090, 18095)
    text = TEXT + Path(ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\b18\d{3}\b", text)) == {str(port) for port in (*named.values(), 18095)}
