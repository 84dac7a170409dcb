import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from certificates.__main__ import FilesSettings, bring_up_to_date
from certificates.bundle import CA, CA_KEY, CERTIFICATE, KEY, Bundle, BundleError, renewed

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NAMES = frozenset({"*.conveyor-mysql.shop.svc.cluster.local", "localhost", "127.0.0.1"})
DAYS = 90


def made(now: datetime = NOW, names: frozenset[str] = NAMES) -> Bundle:
    bundle, _ = renewed(None, names, now, DAYS)
    assert bundle
    return bundle


def verify(bundle: Bundle, name: str, now: datetime, trusted: Bundle | None = None) -> None:
    store = Store(list((trusted or bundle).authorities))
    host = DNSName(name)
    PolicyBuilder().store(store).time(now).build_server_verifier(host).verify(bundle.server.certificate, [])


def test_a_member_is_accepted_by_its_own_name_and_by_no_other() -> None:
    verify(made(), "conveyor-mysql-0.conveyor-mysql.shop.svc.cluster.local", NOW)
    with pytest.raises(VerificationError):
        verify(made(), "conveyor-mysql-0.conveyor-mysql.other.svc.cluster.local", NOW)


def test_an_address_is_named_as_an_address() -> None:
    extension = made().server.certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    assert [str(one) for one in extension.value.get_values_for_type(IPAddress)] == ["127.0.0.1"]


def test_what_is_written_is_read_again() -> None:
    bundle = made()
    assert Bundle.parse(bundle.values()).values() == bundle.values()
    assert renewed(Bundle.parse(bundle.values()), NAMES, NOW, DAYS)[0] is None


def test_a_renewed_certificate_is_accepted_by_whoever_knows_the_authority() -> None:
    old, later = made(), NOW + timedelta(days=61)
    new, _ = renewed(old, NAMES, later, DAYS)
    assert new
    assert new.authorities == old.authorities
    verify(new, "localhost", later + timedelta(days=89), trusted=old)


def test_an_authority_that_was_replaced_stays_known_until_it_expires() -> None:
    old, later = made(), NOW + timedelta(days=2500)
    (certificate_anew, _) = renewed(old, NAMES, later, DAYS)
    (authority_anew, _) = renewed(certificate_anew, NAMES, later, DAYS)
    assert certificate_anew
    assert authority_anew
    assert authority_anew.authorities[1:] == old.authorities
    assert authority_anew.server == certificate_anew.server
    (signed_anew, _) = renewed(authority_anew, NAMES, later + timedelta(days=2), DAYS)
    assert signed_anew
    verify(signed_anew, "localhost", later + timedelta(days=3), trusted=authority_anew)
    (_, long_after) = renewed(signed_anew, NAMES, NOW + timedelta(days=3700), DAYS)
    assert long_after.certificate


def test_a_key_that_does_not_fit_is_not_used() -> None:
    values = made().values()
    strange = Bundle.parse({**values, KEY: made().values()[KEY]})
    assert renewed(strange, NAMES, NOW, DAYS)[1].because == "the certificate is not of the authority"
    half = Bundle.parse({**values, CA_KEY: made().values()[CA_KEY]})
    assert renewed(half, NAMES, NOW, DAYS)[1].because == "the authority's key is another one's"


def test_what_is_no_certificate_is_said_without_quoting_it() -> None:
    with pytest.raises(BundleError, match=r"tls.key missing"):
        Bundle.parse({**made().values(), KEY: b""})
    with pytest.raises(BundleError) as caught:
        Bundle.parse({**made().values(), KEY: b"-----BEGIN secret"})
    assert "secret" not in str(caught.value)


def files(tmp_path: Path, names: frozenset[str] = NAMES) -> FilesSettings:
    return FilesSettings(directory=tmp_path / "tls", names=names)


def test_files_are_private_and_written_only_when_that_is_due(tmp_path: Path) -> None:
    settings = files(tmp_path)
    assert bring_up_to_date(settings, NOW).startswith("made authority and certificate")
    assert {path.name: path.stat().st_mode & 0o777 for path in settings.directory.iterdir()} == dict.fromkeys(
        (CA, CA_KEY, KEY, CERTIFICATE), 0o600
    )
    before = {path: path.stat().st_ino for path in settings.directory.iterdir()}
    assert bring_up_to_date(settings, NOW).startswith("kept")
    assert {path: path.stat().st_ino for path in settings.directory.iterdir()} == before
    assert "other names" in bring_up_to_date(files(tmp_path, NAMES | {"mysql"}), NOW)


def test_a_run_that_was_killed_leaves_nothing_that_the_next_one_stumbles_over(tmp_path: Path) -> None:
    settings = files(tmp_path)
    bring_up_to_date(settings, NOW)
    (settings.directory / CERTIFICATE).unlink()
    assert bring_up_to_date(settings, NOW).startswith("made authority and certificate")


def test_the_command_makes_what_openssl_loads(tmp_path: Path) -> None:
    environment = {"CERTIFICATES_DIRECTORY": str(tmp_path), "CERTIFICATES_NAMES": "localhost, 127.0.0.1"}
    command = [sys.executable, "-m", "certificates"]
    done = subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True, text=True)
    assert json.loads(done.stdout)["event"] == "made authority and certificate: there is none yet"
    context = ssl.create_default_context(cafile=tmp_path / CA)
    context.load_cert_chain(tmp_path / CERTIFICATE, tmp_path / KEY)
    refused = subprocess.run(command, env={}, check=False, timeout=60, capture_output=True, text=True)
    assert "CERTIFICATES_DIRECTORY" in json.loads(refused.stdout)["event"]
