import re

from tests.unit.compose.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_is_copied_exists_and_reaches_the_build() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    folders = {"app", "worker", "mysql_agent", "mysql_archive", "kubernetes_api", "certificates"}
    folders.add("structured_logging")
    assert set(copied) == {"requirements/runtime.txt", *folders}
    assert all((ROOT / path).exists() for path in copied)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == set(copied)


def test_the_image_installs_what_the_lock_file_vouches_for() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "--only-binary=:all:" in DOCKERFILE


def test_the_image_runs_as_a_numeric_user_without_a_shell_in_between() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^CMD (.*)$", final, re.MULTILINE) == ['["api"]']


def test_both_stages_are_of_the_same_python() -> None:
    assert len(set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))) == 1


def test_every_command_is_a_module_that_can_be_run() -> None:
    loop = DOCKERFILE.partition("RUN for command in ")[2].partition("; do")[0]
    commands = dict(re.findall(r"([a-z-]+)=([a-z_.]+)", loop))
    assert set(commands) == {
        *("api", "worker", "relay", "flower", "migrate", "wait-for-migrations"),
        *(
            "credentials",
            "rotate-passwords",
            "mysql-agent",
            "mysql-accounts",
            "mysql-archive",
            "mysql-archive-plan",
        ),
    }
    for module in commands.values():
        file = ROOT / module.replace(".", "/")
        assert (file / "__main__.py").exists() or '__name__ == "__main__"' in file.with_suffix(
            ".py"
        ).read_text()
