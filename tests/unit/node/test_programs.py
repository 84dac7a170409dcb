import os
from pathlib import Path

import pytest

from images import root_files
from images.library import source_digest
from images.stand_ins import stand_ins
from node.binaries import KUBERNETES, PARTS, RCLONE, BuildError, Part, find_go
from node.down import mounts_below
from node.host_access import HostPortError, ingress_port
from node.preflight import PROGRAMS, missing_packages


def test_what_is_missing_is_named_by_the_package_that_has_it() -> None:
    assert missing_packages(lambda program: program != "socat") == ["socat"]
    assert missing_packages(lambda program: "/" not in program) == ["containernetworking-plugins"]
    assert missing_packages(lambda _: True) == []
    assert set(PROGRAMS.values()) <= set(missing_packages(lambda _: False))


def test_a_missing_go_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("node.binaries.GO_FOLDERS", ())
    with pytest.raises(BuildError, match="Install Go"):
        find_go(str(tmp_path))


@pytest.mark.parametrize("part", [*PARTS, RCLONE], ids=lambda part: part.name)
def test_every_part_is_built_from_pinned_modules(part: Part) -> None:
    names = {path.name for path in part.sources}
    assert "go.mod" in names
    assert "go.sum" in names or part.name == "pause"  # only the standard library


def test_kubernetes_says_which_version_it_is() -> None:
    kubernetes = next(part for part in PARTS if part.name == "kubernetes")
    module = next(path for path in kubernetes.sources if path.name == "go.mod").read_text()
    assert f"k8s.io/kubernetes v{KUBERNETES} " in module
    assert f"-X k8s.io/component-base/version.gitVersion=v{KUBERNETES}" in kubernetes.stamps


def test_a_program_is_built_anew_when_its_module_or_its_stamps_change() -> None:
    one = Part("pause", {"pause": "."})
    assert one.digest() == Part("pause", {"pause": "."}).digest()
    assert one.digest() != Part("pause", {"pause": "."}, ("-X a.b=c",)).digest()
    assert one.digest() != Part("coredns", {"pause": "."}).digest()


def test_stand_ins_are_named_like_upstream_s_images() -> None:
    named = {image.reference for image in stand_ins(Path("/nowhere/pause"), Path("/nowhere/rclone"))}
    wanted = {"python:3.13-slim", "mysql:9.7", "redis:8", "pause:conveyor"}
    assert named == {*(f"docker.io/library/{name}" for name in wanted), "docker.io/rclone/rclone:1.76.0"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_services_run_under_the_number_that_upstream_gives_them(tmp_path: Path) -> None:
    own = root_files.write_account(tmp_path / "own", "redis", root_files.SERVICE_ID)
    assert "redis:x:999:999:" in (own / "etc/passwd").read_text()


def test_a_mount_in_the_directory_is_noticed_and_one_beside_it_is_not() -> None:
    points = ("/srv/one/node1/var", "/srv/onerous")
    lines = [f"31 23 0:28 / {point} rw - ext4 /dev/vda rw" for point in points]
    assert mounts_below(Path("/srv/one"), "\n".join(lines)) == ["/srv/one/node1/var"]


def test_a_setting_that_is_no_port_is_named() -> None:
    assert ingress_port({}) == 8080
    assert ingress_port({"CONVEYOR_INGRESS_PORT": "9090"}) == 9090
    with pytest.raises(HostPortError, match="CONVEYOR_INGRESS_PORT=web"):
        ingress_port({"CONVEYOR_INGRESS_PORT": "web"})


def test_the_image_of_conveyor_is_named_by_what_its_build_sees(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*\n!app\n**/__pycache__\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "app" / "__pycache__").mkdir(parents=True)
    (tmp_path / "app" / "main.py").write_text("one")
    first = source_digest(tmp_path, "base")
    (tmp_path / "README.md").write_text("not seen")
    (tmp_path / "app" / "__pycache__" / "main.pyc").write_text("not seen")
    assert source_digest(tmp_path, "base") == first
    assert source_digest(tmp_path, "another base") != first
    (tmp_path / "app" / "main.py").write_text("two")
    assert source_digest(tmp_path, "base") != first
