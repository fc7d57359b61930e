"""The certificate of a room in a local network, made here where the study has none.

Browsers do not know who made it and warn: readers compare its fingerprint with the one that the
lead was shown.
"""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from centrum.errors import DataError

CERTIFICATE, KEY = "room.crt", "room.key"
OWNER_ONLY = 0o600

DAYS = 397
"""Browsers take none that is valid for longer."""

RENEWED = timedelta(days=14)
"""Before the end."""


@dataclass(frozen=True)
class Certificate:
    """Files of a certificate and its key, in PEM."""

    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as browsers show it.

        Raises
        ------
        DataError
            The file is no certificate ("bad-certificate").
        """
        try:
            found = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except ValueError:
            raise _unusable(self.certificate) from None
        return found.fingerprint(hashes.SHA256()).hex(":").upper()

    def check(self) -> None:
        """Whether certificate and key belong together.

        Raises
        ------
        DataError
            They do not, or are no such files ("bad-certificate").
        """
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (ssl.SSLError, ValueError, OSError):
            raise _unusable(self.certificate) from None


def _no_password() -> str:
    """Of a key that has one; nobody is there to type it."""
    raise ValueError("the key has a password")


def _unusable(path: Path) -> DataError:
    return DataError(
        f"{path.name} and its key cannot be used for TLS.",
        remedy="Give a certificate and its key without password, both PEM, with --cert and --key; "
        "or neither, and one is made.",
        code="bad-certificate",
        file=path,
    )


def own_certificate(folder: Path, host: str) -> Certificate:
    """The certificate of `host` that lies in `folder`, made where there is none that is valid."""
    kept = Certificate(folder / CERTIFICATE, folder / KEY)
    if not _serves(kept, host):
        _make(kept, host)
    return kept


def _serves(kept: Certificate, host: str) -> bool:
    try:
        found = x509.load_pem_x509_certificate(kept.certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        kept.check()
    except (OSError, ValueError, x509.ExtensionNotFound, DataError):
        return False
    return _name(host) in names and found.not_valid_after_utc - RENEWED > datetime.now(UTC)


def _make(kept: Certificate, host: str) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "centrum reading room")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    kept.key.unlink(missing_ok=True)
    with open(os.open(kept.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as stream:
        stream.write(secret)
    kept.certificate.write_bytes(made.public_bytes(pem))


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
