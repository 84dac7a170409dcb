"""Passwords of one local stack: drawn once, kept in a file that only its user can read."""

import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    app_password: str
    admin_password: str
    agent_password: str
    recovery_password: str
    redis_password: str
    flower_password: str
    secret_key: str
    group_name: str


def load_credentials(path: Path) -> Credentials:
    """Read the file, or write it first."""
    if path.exists():
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    drawn = {field.name: secrets.token_urlsafe(24) for field in fields(Credentials)}
    credentials = Credentials(**drawn | {"group_name": str(uuid.uuid4())})
    write_private(path, json.dumps(asdict(credentials), indent=2) + "\n")
    return credentials


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read at any moment, and whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    partial.replace(path)
