"""compose.yaml as Compose reads it, with a value in place of every password."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# what docker/make-env.sh draws: 30 hexadecimal digits
DRAWN = "0123456789abcdef0123456789abcd"
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+):\?run docker/make-env\.sh once, it writes \.env\}")


@pytest.fixture(scope="session")
def compose_text() -> str:
    return (ROOT / "compose.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def compose(compose_text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(VARIABLE.sub(DRAWN, compose_text))
    return document


@pytest.fixture(scope="session")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found
