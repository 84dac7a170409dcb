"""`python -m certificates`: make or renew the certificates in a directory, where that is due, and exit."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from certificates.bundle import CA, CA_KEY, CERTIFICATE, KEY, Bundle, BundleError, renewed
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)

# The certificate last: whoever sees a new one finds its key and its authority in place.
ORDER = (CA, CA_KEY, KEY, CERTIFICATE)


def comma_separated(value: object) -> object:
    """Read `name,name`."""
    return (
        frozenset(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, str)
        else value
    )


Names = Annotated[frozenset[str], NoDecode, BeforeValidator(comma_separated), Field(min_length=1)]


class FilesSettings(BaseSettings):
    """Read from CERTIFICATES_*."""

    model_config = SettingsConfigDict(env_prefix="CERTIFICATES_", frozen=True, env_ignore_empty=True)

    directory: Path
    names: Names
    days: int = Field(365, ge=1, le=825)


def bring_up_to_date(settings: FilesSettings, now: datetime) -> str:
    """Write what is due; tells what was done and why."""
    settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = {name: settings.directory / name for name in ORDER}
    present = {name: path.read_bytes() for name, path in files.items() if path.exists()}
    # what a run that was killed left is half of what was never used
    bundle = Bundle.parse(present) if len(present) == len(ORDER) else None
    new, plan = renewed(bundle, settings.names, now, settings.days)
    if new is None:
        return f"kept: {plan.because}"
    for name in ORDER:
        _write_private(files[name], new.values()[name])
    made = [
        what
        for what, is_made in (("authority", plan.authority), ("certificate", plan.certificate))
        if is_made
    ]
    return f"made {' and '.join(made)}: {plan.because}"


def _write_private(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)
    partial.replace(path)


def main() -> None:
    """Run the command."""
    settings = begin("certificates", _load)
    try:
        done = bring_up_to_date(settings, datetime.now(UTC))
    except BundleError as error:
        raise SystemExit(
            f"CERTIFICATES_DIRECTORY holds something else ({error}): remove its files, they are made anew"
        ) from None
    log.info(done, directory=str(settings.directory))


def _load() -> FilesSettings:
    try:
        return FilesSettings()
    except ValidationError as error:
        lines = [f"  CERTIFICATES_{one['loc'][0]}: {one['msg']}".upper() for one in error.errors()]
        raise SystemExit("the environment is not complete:\n" + "\n".join(lines)) from None


if __name__ == "__main__":
    main()
