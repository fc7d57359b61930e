"""Who made a file that travels: a signature (Ed25519) by the key of a study.

The key lies in `readings/`, for its owner alone: whoever can read it could sign. A signature says
that nothing was changed since; whose key it was is told by the fingerprint, which is compared with
what the owner says by another way.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from centrum.cohort.readings import READINGS
from centrum.errors import DataError
from centrum.provenance import canonical_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE, SIGNING_KEY = "signature.json", "signing.key"
OWNER_ONLY = 0o600


def key_path(study: Path) -> Path:
    """Where the key of a study lies."""
    return study / READINGS / SIGNING_KEY


def signing_key(study: Path) -> "Ed25519PrivateKey":
    """The key of a study, made where there is none.

    Raises
    ------
    DataError
        The file is no key ("bad-key"), or what signs is not installed ("missing-extra").
    """
    refuse_without_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = key_path(study)
    if not path.exists():
        _make_key(path)
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise DataError(
            f"{path.name} is no key of a signature.",
            remedy="Put it back from a backup; or remove it, and what is signed has a new "
            "fingerprint.",
            code="bad-key",
            file=path,
        )
    return found


def _make_key(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(path, flags, OWNER_ONLY), "wb") as stream:
        stream.write(pem)


def public_key(key: "Ed25519PrivateKey") -> bytes:
    """What others check signatures of a key with."""
    return key.public_key().public_bytes_raw()


def signature_of(key: "Ed25519PrivateKey", contents: bytes) -> bytes:
    """A signature as it is written: JSON with the public key, both in hexadecimal digits."""
    told = {"public_key": public_key(key).hex(), "signature": key.sign(contents).hex()}
    return canonical_json(told).encode()


def read_signature(written: bytes) -> dict[str, bytes]:
    """Public key and signature, as `signature_of` wrote them.

    Raises
    ------
    ValueError
        It cannot be read.
    """
    try:
        return {name: bytes.fromhex(text) for name, text in json.loads(written).items()}
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError("no signature") from error


def signer(signature: Mapping[str, bytes], contents: bytes) -> bytes:
    """The public key by which these contents were signed.

    Raises
    ------
    ValueError
        The signature is not one of these contents.
    DataError
        What checks signatures is not installed ("missing-extra").
    """
    refuse_without_cryptography()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public = signature["public_key"]
        Ed25519PublicKey.from_public_bytes(public).verify(signature["signature"], contents)
    except (InvalidSignature, KeyError) as error:
        raise ValueError("not signed so") from error
    return public


def refuse_without_cryptography() -> None:
    """Say what to install where nothing can be signed or checked.

    Raises
    ------
    DataError
        Code "missing-extra".
    """
    if find_spec("cryptography") is None:
        raise DataError(
            "Signatures need cryptography, which is not installed.",
            remedy="Install it: pip install 'centrum[read]'.",
            code="missing-extra",
        )


def fingerprint(public: bytes) -> str:
    """SHA-256 of a public key, in groups that can be read out.

    >>> fingerprint(bytes(32))[:19]
    '6668 7aad f862 bd77'
    """
    text = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(text[k : k + 4] for k in range(0, len(text), 4))
