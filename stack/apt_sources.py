"""Where this machine gets its Debian packages from."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DEBIAN_SUITES = {
    "stable",
    "oldstable",
    "testing",
    "unstable",
    "sid",
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
}
ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$"
)


@dataclass(frozen=True)
class Source:
    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None = None

    @property
    def is_debian(self) -> bool:
        # Vendors also use Debian's suite names and "main", so the address has to say Debian too.
        suites = {suite.removesuffix("-updates") for suite in self.suites}
        return bool(suites & DEBIAN_SUITES) and "main" in self.components and "debian" in self.uri.lower()

    def as_line(self, suite: str) -> str:
        """Write the source as a line of sources.list for another suite of the same mirror."""
        signed = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {signed}{self.uri} {suite} main\n"


DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def parse_list(text: str) -> list[Source]:
    """Read the one-line format of sources.list(5)."""
    found = []
    for line in text.splitlines():
        if match := ONE_LINE.match(line.split("#", 1)[0].strip()):
            options = dict(
                option.split("=", 1) for option in (match["options"] or "").split() if "=" in option
            )
            found.append(
                Source(
                    match["uri"],
                    (match["suite"],),
                    tuple(match["components"].split()),
                    options.get("signed-by"),
                )
            )
    return found


def parse_deb822(text: str) -> list[Source]:
    """Read the deb822 format of sources.list(5)."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields = _fields(paragraph)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        suites = tuple(fields.get("suites", "").split())
        components = tuple(fields.get("components", "").split())
        # An inlined key cannot be repeated on one line; apt's trusted keyrings then have to do.
        keyring = fields.get("signed-by", "")
        signed_by = keyring if keyring.startswith("/") and len(keyring.split()) == 1 else None
        found += [Source(uri, suites, components, signed_by) for uri in fields.get("uris", "").split()]
    return found


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and name:
            fields[name] = f"{fields[name]} {line.strip()}".strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def source_files(apt: Path) -> list[Path]:
    parts = apt / "sources.list.d"
    listed = sorted([*parts.glob("*.list"), *parts.glob("*.sources")]) if parts.is_dir() else []
    return [path for path in (apt / "sources.list", *listed) if path.is_file()]


def debian_source(files: Iterable[Path], mirror: str | None = None) -> Source | None:
    """Take the mirror that is asked for, else the machine's first Debian entry, if it has one."""
    if mirror:
        return Source(mirror, ("sid",), ("main",), DEBIAN_KEYRING)
    for path in files:
        parse = parse_deb822 if path.suffix == ".sources" else parse_list
        for source in parse(path.read_text(encoding="utf-8")):
            if source.is_debian:
                return source
    return None
