"""Who talks to MySQL is encrypted, knows whom it talks to, and does not notice a renewed certificate."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest
from cryptography import x509

from stack.supervisor import ROOT, Stack
from tests.stack.mysql_group import ORDINALS, Group
from tests.stack.waiting import wait_until
from tests.stack.writer import Writer

NOT_VERIFIED = 0


def tls_files(stack: Stack) -> Path:
    return Path(stack.env_for("certificates")["CERTIFICATES_DIRECTORY"])


def run(stack: Stack, part: str, module: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**stack.env_for(part), **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shown(stack: Stack, port: str) -> int:
    """The serial number of the certificate that a new connection verifies, if it can."""
    env = stack.env_for("api-1")
    try:
        connection = pymysql.connect(
            host="127.0.0.1",
            port=stack.ports[port],
            user=env["DB_USER"],
            password=env["DB_PASSWORD"],
            ssl={"ca": env["DB_TLS_CA"]},
            connect_timeout=5,
            read_timeout=5,
        )
    except pymysql.OperationalError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return NOT_VERIFIED
        raise
    try:
        certificate = connection._sock.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        return x509.load_der_x509_certificate(certificate).serial_number
    finally:
        connection.close()


def serial_number(file: Path) -> int:
    return x509.load_pem_x509_certificate(file.read_bytes()).serial_number


@pytest.fixture
def another_authority(tmp_path: Path) -> Path:
    env = {**os.environ, "CERTIFICATES_DIRECTORY": str(tmp_path), "CERTIFICATES_NAMES": "127.0.0.1"}
    subprocess.run([sys.executable, "-m", "certificates"], cwd=ROOT, env=env, check=True, timeout=60)
    return tmp_path / "ca.crt"


@pytest.mark.parametrize("port", ["mysql-primary", "mysql-replicas", "mysql-0"])
def test_nobody_talks_in_plain(stack: Stack, port: str) -> None:
    env = stack.env_for("api-1")
    with pytest.raises(pymysql.OperationalError, match="require_secure_transport"):
        pymysql.connect(
            host="127.0.0.1",
            port=stack.ports[port],
            user=env["DB_USER"],
            password=env["DB_PASSWORD"],
            ssl_disabled=True,
            connect_timeout=5,
        )


def test_an_application_that_knows_another_authority_says_what_to_look_at(
    stack: Stack, another_authority: Path
) -> None:
    wrong = {"DB_TLS_CA": str(another_authority)}
    waiting = run(stack, "api-1", "app.migrations.wait", MIGRATE_WAIT_TIMEOUT_SECONDS="1", **wrong)
    migrating = run(stack, "migrate", "app.migrations", MIGRATE_PRIMARY_TIMEOUT_SECONDS="1", **wrong)
    for ended in (waiting, migrating):
        assert ended.returncode != 0
        assert "certificate verify failed" in ended.stdout
        assert "DB_TLS_CA must be the file of the authority that made its certificate" in ended.stdout
    missing = run(stack, "api-1", "app.migrations.wait", DB_TLS_CA="/nowhere/ca.crt")
    assert "DB_TLS_CA: there is no file /nowhere/ca.crt" in missing.stdout


@contextmanager
def other_names(group: Group) -> Iterator[None]:
    """Let every member show a certificate of the right authority that names somebody else."""
    run(group.stack, "certificates", "certificates", CERTIFICATES_NAMES="elsewhere.example.com")
    try:
        for ordinal in ORDINALS:
            wait_until(
                lambda of=ordinal: shown(group.stack, group.server(of)) == NOT_VERIFIED,  # type: ignore[misc]
                f"mysql-{ordinal} shows another certificate",
            )
        yield
    finally:
        run(group.stack, "certificates", "certificates")


def test_members_join_nobody_who_has_another_name(group: Group) -> None:
    member = next(ordinal for ordinal in ORDINALS if ordinal != group.primary())
    env = group.stack.env_for(group.agent(member))
    account = (env["MYSQL_AGENT_RECOVERY_USER"], env["MYSQL_AGENT_RECOVERY_PASSWORD"])
    agent = group.stack.service(group.agent(member))
    with other_names(group):
        agent.freeze()
        try:
            with group.session(f"mysql-{member}-admin", as_agent=True, read_timeout=150) as cursor:
                cursor.execute("STOP GROUP_REPLICATION")
                with pytest.raises(pymysql.OperationalError, match="not configured properly"):
                    cursor.execute("START GROUP_REPLICATION USER = %s, PASSWORD = %s", account)
        finally:
            agent.thaw()
    group.wait_complete()


@pytest.fixture
def writer(group: Group) -> Iterator[Writer]:
    group.prepare_table()
    writer = Writer(group)
    writer.start()
    wait_until(lambda: len(writer.acknowledged) > 50, "the writer is under way")
    yield writer
    writer.stop()


def test_a_renewed_certificate_is_shown_by_all_members_without_a_restart_or_a_failed_write(
    group: Group, writer: Writer
) -> None:
    stack = group.stack
    servers = [stack.service(group.server(ordinal)).pid for ordinal in ORDINALS]
    before = {shown(stack, group.server(ordinal)) for ordinal in ORDINALS}
    renewing = run(stack, "certificates", "certificates", CERTIFICATES_NAMES="localhost,127.0.0.1,renewed")
    assert json.loads(renewing.stdout)["event"] == "made certificate: the servers have other names"
    renewed = serial_number(tls_files(stack) / "tls.crt")
    assert renewed not in before
    for ordinal in ORDINALS:
        wait_until(
            lambda of=ordinal: shown(stack, group.server(of)) == renewed,  # type: ignore[misc]
            f"mysql-{ordinal} shows the renewed certificate",
        )
    written = len(writer.acknowledged)
    wait_until(lambda: len(writer.acknowledged) > written + 50, "writes go on")
    writer.stop()
    assert writer.failures == []
    assert [stack.service(group.server(ordinal)).pid for ordinal in ORDINALS] == servers
    assert all(
        group.metric(o, 'mysql_agent_certificate_reloads_total{outcome="done"}') >= 1 for o in ORDINALS
    )
