"""Renew the generated tables of README.md: `python -m docs.generate`, or `make docs`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.main import create_app
from app.settings import Settings

README = Path(__file__).resolve().parent.parent / "README.md"
METHODS = ("get", "post", "put", "patch", "delete")


def configuration_table() -> str:
    """Return every setting with its default and its meaning."""
    fields = Settings.model_fields.items()
    return _table(
        ("Variable", "Default", "Meaning"),
        ((f"`{name.upper()}`", _default(field), field.description or "") for name, field in fields),
    )


def endpoints_table() -> str:
    """Return every endpoint of the OpenAPI document with what it does."""
    settings = Settings(db_password=SecretStr("unused"), secret_key=SecretStr("unused-unused-unused"))
    paths: Mapping[str, Mapping[str, Any]] = create_app(settings).openapi()["paths"]
    return _table(
        ("Endpoint", "What it does"),
        (
            (f"`{method.upper()} {path}`", operations[method]["description"])
            for path, operations in sorted(paths.items())
            for method in METHODS
            if method in operations
        ),
    )


def renewed(readme: str) -> str:
    """Return the text with its tables as they should be.

    Raises:
        ValueError: a marker is missing.
    """
    readme = _replace(readme, "configuration", configuration_table())
    return _replace(readme, "endpoints", endpoints_table())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined:
        return "the host name"
    if field.default is None:
        return "unset"
    if field.default == ():
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    escaped = ((cell.replace("|", r"\|") for cell in row) for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *escaped))


def _replace(readme: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}: written by `make docs` -->", f"<!-- end of {name} -->"
    before, found, rest = readme.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"README.md must contain {begin} and {end}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def main() -> None:
    """Rewrite README.md in place."""
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
