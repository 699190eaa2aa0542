"""The vault: values sealed with AES-256-GCM under a key per tenant, derived from the keyring in VAULT_KEYS.

What is sealed names the tenant, the connection and the field it was sealed for: moved to another row it does not open.
Layout of a sealed value: version (1 byte), key number (4), nonce (12), ciphertext with tag.
"""

import os
import struct
from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_VERSION = 1
_HEAD = struct.Struct(">BI")


LOST_KEY = "What we stored of your credentials can no longer be opened here. Please enter them again."


class CannotOpen(Exception):
    """Altered, moved, or sealed with a key that the keyring no longer has."""


class Keyring:
    """Keys by number; the first seals, all open. A tenant's own key is derived, never stored."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._keys = dict(keys)
        self.primary = next(iter(self._keys))
        self._cipher = lru_cache(maxsize=1024)(self._derive)

    def _derive(self, number: int, tenant: int) -> AESGCM:
        info = b"switchboard/tenant/%d" % tenant
        return AESGCM(HKDF(SHA256(), 32, None, info).derive(self._keys[number]))

    def seal(self, plain: str, *, tenant: int, connection: UUID | str, field: str) -> bytes:
        head, nonce = _HEAD.pack(_VERSION, self.primary), os.urandom(12)
        cipher = self._cipher(self.primary, tenant)
        return head + nonce + cipher.encrypt(nonce, plain.encode(), head + _purpose(tenant, connection, field))

    def open(self, sealed: bytes | memoryview, *, tenant: int, connection: UUID | str, field: str) -> str:
        """Raises CannotOpen."""
        sealed = bytes(sealed)
        try:
            version, number = _HEAD.unpack_from(sealed)
            if version != _VERSION:
                raise CannotOpen
            head, nonce, rest = sealed[: _HEAD.size], sealed[_HEAD.size : _HEAD.size + 12], sealed[_HEAD.size + 12 :]
            return (
                self._cipher(number, tenant).decrypt(nonce, rest, head + _purpose(tenant, connection, field)).decode()
            )
        except (InvalidTag, KeyError, ValueError, struct.error):
            raise CannotOpen from None

    def is_stale(self, sealed: bytes | memoryview) -> bool:
        """Whether it was sealed with another key than the first."""
        number: int = _HEAD.unpack_from(bytes(sealed))[1]
        return number != self.primary


def _purpose(tenant: int, connection: UUID | str, field: str) -> bytes:
    parts = [str(part).encode() for part in (tenant, connection, field)]
    return b"switchboard.v1" + b"".join(struct.pack(">I", len(part)) + part for part in parts)


@lru_cache(maxsize=1)
def keyring() -> Keyring:
    """The keyring of this process."""
    return Keyring(settings.VAULT_KEYS)
