"""Secrets are taken out of every line of the log, wherever they came from."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

REDACTED = "[redacted]"
# Shorter ones would be found in the middle of words; a password as short protects nothing.
SHORTEST = 6
IN_URL = re.compile(r"(://[^\s/:@\"'\\]*:)[^\s/@\"'\\]+@")


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Find every secret among settings; of `user:password` also the password."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            yield secret
            yield secret.partition(":")[2]


class Redaction:
    """Replaces secrets, as they are and as JSON, Python and URLs write them, and passwords inside of URLs."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST}
        forms = {form for secret in known for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, line: str) -> str:
        """Return the line without them."""
        for form in self._forms:
            if form in line:
                line = line.replace(form, REDACTED)
        return IN_URL.sub(rf"\1{REDACTED}@", line) if "://" in line and "@" in line else line


def _forms(secret: str) -> set[str]:
    forms = {secret, repr(secret)[1:-1], quote(secret, safe="")}
    for _ in range(2):  # JSON within a line of JSON
        forms |= {json.dumps(form, ensure_ascii=ascii_)[1:-1] for form in forms for ascii_ in (True, False)}
    return forms
