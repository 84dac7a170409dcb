"""The commands of a page for operators, run as they stand there."""

import re
from collections.abc import Iterator
from pathlib import Path

from cluster.shell import Shell

COMMANDS_SECONDS = 900
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


class Handbook:
    """One page; each chapter is one session of a shell in which every command has to succeed."""

    def __init__(self, page: Path, shell: Shell) -> None:
        self._text = page.read_text(encoding="utf-8")
        self._shell = shell

    def follow(self, chapter: str, **variables: str) -> str:
        """Run all commands of a chapter and return what they say."""
        ended = self._shell.run("\n".join(self.commands(chapter)), "-euxc", variables, COMMANDS_SECONDS)
        assert ended.returncode == 0, f"{chapter}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def commands(self, chapter: str) -> Iterator[str]:
        """Yield the lines behind the prompts, and the indented ones that continue them."""
        text = self._text.partition(f"## {chapter}\n")[2].partition("\n## ")[0]
        assert BLOCK.search(text), f"there is no chapter {chapter!r} with commands"
        for block in BLOCK.findall(text):
            for line in block.splitlines():
                if line.startswith(("$ ", "  ")):
                    yield line.removeprefix("$ ")
