"""Re-seals every stored secret with the first key of VAULT_KEYS, in batches; may be interrupted and run again.

Put the new key first in VAULT_KEYS, restart every process, run this, then drop the old key.
"""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from integrations.connections.canary import seal_canary
from integrations.connections.models import Credential, Token, VaultCanary
from integrations.connections.vault import keyring
from portal.tenancy.models import Tenant
from portal.tenancy.scope import ops_scope, tenant_scope

BATCH = 200


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        with ops_scope():
            tenants = list(Tenant.objects.order_by("pk").values_list("pk", flat=True))
        done = 0
        for number, tenant_id in enumerate(tenants, 1):
            done += self._credentials(tenant_id) + self._tokens(tenant_id)
            self.stdout.write(f"{number} of {len(tenants)} tenants, {done} values re-sealed")
        with transaction.atomic():
            VaultCanary.objects.filter(pk=1).update(sealed=seal_canary())
        self.stdout.write(self.style.SUCCESS(f"Every value is sealed with key {keyring().primary}."))

    def _credentials(self, tenant_id: int) -> int:
        done, last = 0, 0
        while True:
            with tenant_scope(tenant_id):
                batch = list(
                    Credential.objects.select_for_update()
                    .filter(tenant_id=tenant_id, pk__gt=last)
                    .order_by("pk")[:BATCH]
                )
                for credential in batch:
                    if keyring().is_stale(credential.sealed):
                        credential.sealed = reseal(credential.sealed, credential, credential.name)
                        credential.save(update_fields=["sealed"])
                        done += 1
            if not batch:
                return done
            last = batch[-1].pk

    def _tokens(self, tenant_id: int) -> int:
        done = 0
        with tenant_scope(tenant_id):
            ids = list(Token.objects.filter(tenant_id=tenant_id).values_list("pk", flat=True))
        for pk in ids:
            with tenant_scope(tenant_id):
                token = Token.objects.select_for_update().filter(pk=pk).first()
                if token is None or not keyring().is_stale(token.access):
                    continue
                for field in ("access", "refresh", "former_refresh"):
                    sealed = getattr(token, field)
                    if sealed is not None:
                        setattr(token, field, reseal(sealed, token, f"token.{field.removeprefix('former_')}"))
                token.save(update_fields=["access", "refresh", "former_refresh"])
                done += 1
        return done


def reseal(sealed: bytes | memoryview, row: Credential | Token, field: str) -> bytes:
    plain = keyring().open(sealed, tenant=row.tenant_id, connection=row.connection_id, field=field)
    return keyring().seal(plain, tenant=row.tenant_id, connection=row.connection_id, field=field)
