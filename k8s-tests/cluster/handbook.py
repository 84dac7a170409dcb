"""The commands of a page for operators, run as they stand there."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from helm import helm_binary, kubectl_binary
from release import ROOT, Release

COMMANDS_SECONDS = 900
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


class Handbook:
    """One page; each chapter is one session of a shell in which every command has to succeed."""

    def __init__(self, page: Path, release: Release, kubeconfig: Path, context: str) -> None:
        self._text = page.read_text(encoding="utf-8")
        self._environment = {
            "PATH": os.pathsep.join(
                (str(helm_binary("4.1").parent), str(kubectl_binary().parent), os.environ["PATH"])
            ),
            "HOME": os.environ["HOME"],
            "KUBECONFIG": str(kubeconfig),
            "HELM_KUBECONTEXT": context,
            "HELM_NAMESPACE": release.kube.namespace,
        }
        # kubectl has no variables for these two
        where = f"--context {context} --namespace {release.kube.namespace}"
        self._prelude = f'kubectl() {{ command kubectl {where} "$@"; }}'

    def follow(self, chapter: str, **variables: str) -> str:
        """Run all commands of a chapter and return what they say."""
        script = "\n".join((self._prelude, *self.commands(chapter)))
        ended = subprocess.run(
            ["bash", "-euxc", script],
            cwd=ROOT,
            env={**self._environment, **variables},
            capture_output=True,
            text=True,
            timeout=COMMANDS_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{chapter}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def commands(self, chapter: str) -> Iterator[str]:
        """Yield the lines behind the prompts, and the lines that continue them."""
        text = self._text.partition(f"## {chapter}\n")[2].partition("\n## ")[0]
        assert BLOCK.search(text), f"there is no chapter {chapter!r} with commands"
        for block in BLOCK.findall(text):
            continued = False
            for line in block.splitlines():
                if continued or line.startswith("$ "):
                    yield line if continued else line.removeprefix("$ ")
                    continued = line.endswith("\\")
