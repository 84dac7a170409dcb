"""Style, script and icon, cached for ever under the digest of their content."""

import hashlib
from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

DIRECTORY = Path(__file__).parent / "static"
DIGEST_LENGTH = 12


class Assets(StaticFiles):
    """Answers `?v=<digest>` for ever and everything else with revalidation.

    While two versions are being rolled out, a page of one may ask a replica of the other: a digest
    that is not the file's own must not be kept.
    """

    def __init__(self, directory: Path = DIRECTORY) -> None:
        super().__init__(directory=directory)
        self._digests = {
            file.relative_to(directory).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[
                :DIGEST_LENGTH
            ]
            for file in directory.rglob("*")
            if file.is_file()
        }

    def address(self, name: str) -> str:
        """Return where browsers find a file."""
        return f"/static/{name}?v={self._digests[name]}"

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file with the time for which it may be kept."""
        response = await super().get_response(path, scope)
        digest = self._digests.get(path)
        current = digest is not None and scope["query_string"] == f"v={digest}".encode()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
