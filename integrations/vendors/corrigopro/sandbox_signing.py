"""How CorrigoPro makes its tokens: `<data><----><sign>`, both parts Base64Url without padding.

The documents leave open what exactly is signed and how (A-19): RSA PKCS#1 v1.5 with SHA-256 over the decoded data.
"""

import base64
import gzip
import json
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SEPARATOR = "<---->"
SPAN = timedelta(minutes=20)


@cache
def new_key() -> str:
    """A private key as PEM; one a process, for making one takes long."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def certificate(key: str) -> bytes:
    """The public certificate an admin downloads from the settings page (PEM)."""
    private = _private(key)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CorrigoPro Direct (sandbox)")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    made = made.serial_number(1).not_valid_before(begins).not_valid_after(begins + timedelta(days=3650))
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def token(key: str, client_id: str, now: datetime, *, is_gzipped: bool = False, is_forged: bool = False) -> str:
    """A token for that client. `is_gzipped` packs its data, as one sample of the vendor's has it; `is_forged` signs
    something else."""
    times = {".issued": now, ".expires": now + SPAN}
    claims = (
        ("name", client_id),
        ("urn:oauth:scope", "direct"),
        ("Aud", "CorrigoProDirect"),
        ("nonce", uuid.uuid4().hex),
    )
    fixed = {"ValueType": "string", "Issuer": "CorrigoPro", "OriginalIssuer": "CorrigoPro"}
    content = {
        "AuthenticationType": "Bearer",
        "NameClaimType": "name",
        "RoleClaimType": "role",
        "Claims": [{"Type": kind, "Value": value, **fixed} for kind, value in claims],
        "Properties": {
            "Dictionary": {name: format_datetime(at.astimezone(UTC), usegmt=True) for name, at in times.items()}
        },
    }
    data = json.dumps(content).encode()
    if is_gzipped:
        data = gzip.compress(data)
    sign = _private(key).sign(b"forged" if is_forged else data, padding.PKCS1v15(), hashes.SHA256())
    return f"{_base64(data)}{SEPARATOR}{_base64(sign)}"


@cache
def _private(key: str) -> rsa.RSAPrivateKey:
    private = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return private


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
