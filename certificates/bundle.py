"""What an installation holds as PEM, read for the plan and brought up to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certificates.issue import KeyPair, new_authority, new_certificate, pem
from certificates.plan import Held, Life, Plan, plan, still_trusted

# Files, and keys of a Secret, are called as cert-manager calls them; CA_KEY is for us alone.
CA, CERTIFICATE, KEY, CA_KEY = "ca.crt", "tls.crt", "tls.key", "ca.key"
AUTHORITY_DAYS = 3650


class BundleError(Exception):
    """What is there is no certificate, key and authority that belong together."""


@dataclass(frozen=True)
class Bundle:
    authorities: tuple[x509.Certificate, ...]  # newest first; all of them are trusted
    authority_key: ec.EllipticCurvePrivateKey
    server: KeyPair

    @classmethod
    def parse(cls, values: Mapping[str, bytes]) -> Self:
        if missing := [name for name in (CA, CERTIFICATE, KEY, CA_KEY) if not values.get(name)]:
            raise BundleError(f"{', '.join(missing)} missing")
        try:
            authorities = tuple(x509.load_pem_x509_certificates(values[CA]))
            certificate = x509.load_pem_x509_certificate(values[CERTIFICATE])
            keys = [load_pem_private_key(values[name], None) for name in (CA_KEY, KEY)]
        except (ValueError, TypeError):
            # without the library's own words: they might quote a key
            raise BundleError(f"{CA}, {CERTIFICATE}, {KEY} or {CA_KEY} is not PEM") from None
        authority_key, key = keys
        if not isinstance(authority_key, ec.EllipticCurvePrivateKey) or not isinstance(
            key, ec.EllipticCurvePrivateKey
        ):
            raise BundleError(f"{CA_KEY} or {KEY} was not made here")
        return cls(authorities, authority_key, KeyPair(key, certificate))

    def values(self) -> dict[str, bytes]:
        return {
            CA: pem(self.authorities),
            CERTIFICATE: pem([self.server.certificate]),
            KEY: self.server.key_pem,
            CA_KEY: KeyPair(self.authority_key, self.authorities[0]).key_pem,
        }

    @property
    def held(self) -> Held:
        certificate = self.server.certificate
        return Held(
            tuple(map(_life, self.authorities)),
            _life(certificate),
            names_of(certificate),
            self._signed_by(),
            can_sign=self.authorities[0].public_key() == self.authority_key.public_key(),
        )

    def _signed_by(self) -> int | None:
        if self.server.certificate.public_key() != self.server.key.public_key():
            return None
        for position, authority in enumerate(self.authorities):
            try:
                self.server.certificate.verify_directly_issued_by(authority)
            except (ValueError, InvalidSignature):
                continue
            return position
        return None


def renewed(
    bundle: Bundle | None, names: frozenset[str], now: datetime, days: int
) -> tuple[Bundle | None, Plan]:
    """Return what to keep instead, or None where nothing is to be changed, and why."""
    todo = plan(now, bundle.held if bundle else None, names)
    if not (todo.authority or todo.certificate):
        return None, todo
    old = bundle.authorities if bundle else ()
    kept = old[: still_trusted(now, tuple(map(_life, old)))]
    if todo.authority or bundle is None:
        authority = new_authority(now, AUTHORITY_DAYS)
        authorities = (authority.certificate, *kept)
    else:
        authority = KeyPair(bundle.authority_key, bundle.authorities[0])
        authorities = kept
    if todo.certificate or bundle is None:
        server = new_certificate(authority, names, now, days)
    else:
        server = bundle.server
    return Bundle(authorities, authority.key, server), todo


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    names = extension.get_values_for_type(x509.DNSName)
    return frozenset([*names, *map(str, extension.get_values_for_type(x509.IPAddress))])


def _life(certificate: x509.Certificate) -> Life:
    return Life(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
