"""Proves at start-up that the keyring opens what is stored, before anything is sealed with a wrong one."""

from integrations.connections.models import VaultCanary
from integrations.connections.vault import CannotOpen, keyring
from portal import environment

_WORDS = "the keyring opens this"


def prove_keyring() -> None:
    """Refuse to start when the keyring cannot open the canary; put one there on the very first start."""
    canary = VaultCanary.objects.filter(pk=1).first()
    if canary is None:
        VaultCanary.objects.bulk_create([VaultCanary(pk=1, sealed=seal_canary())], ignore_conflicts=True)
        return
    try:
        keyring().open(canary.sealed, tenant=0, connection="canary", field="canary")
    except CannotOpen:
        environment.refuse("VAULT_KEYS", "does not hold the key that the stored credentials were sealed with.")


def seal_canary() -> bytes:
    return keyring().seal(_WORDS, tenant=0, connection="canary", field="canary")
