"""Files that a root file system needs besides its packages."""

import os
import shutil
import ssl
from pathlib import Path

SERVICE_ID = 999
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def write_account(folder: Path, name: str, number: int) -> Path:
    """Write the accounts and the folder of data of a service that runs under a number of its own."""
    for path in ("etc", "tmp", f"var/lib/{name}", "run", "var/tmp", "root"):
        (folder / path).mkdir(parents=True)
    users = f"root:x:0:0:root:/root:/bin/sh\n{name}:x:{number}:{number}::/var/lib/{name}:/usr/sbin/nologin\n"
    (folder / "etc/passwd").write_text(users)
    (folder / "etc/group").write_text(f"root:x:0:\n{name}:x:{number}:\n")
    (folder / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    (folder / "tmp").chmod(0o1777)
    (folder / "var/tmp").chmod(0o1777)
    os.chown(folder / f"var/lib/{name}", number, number)
    return folder


def make_like_upstream(root: Path) -> None:
    """Let `python` and pip in Debian's system behave as in upstream's Python image."""
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
    # A build inside the image reaches the package index the way this machine does.
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if bundle and Path(bundle).is_file():
        shutil.copyfile(bundle, root / CERTIFICATES)
        (root / "etc/pip.conf").write_text(_pip_settings(f"/{CERTIFICATES}"))
    for cached in (root / "var/cache/apt/archives").glob("*.deb"):
        cached.unlink()
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)


def _pip_settings(bundle: str) -> str:
    index = os.environ.get("PIP_INDEX_URL")
    return "\n".join(["[global]", f"cert = {bundle}", *([f"index-url = {index}"] if index else []), ""])
