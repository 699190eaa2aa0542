"""Fills the demo: two tenants with people and connections to the sandbox. Safe to repeat; for DEMO=on only.

The last line printed is JSON: the e-mail address and password to sign in with.
"""

import json
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.connections.checks import try_out
from integrations.connections.models import Connection
from integrations.connections.services import mark_connected, save_draft, secrets_of
from integrations.registry import connectors
from integrations.sandbox.__main__ import emulator
from integrations.sync.services import begin
from portal.accounts.models import User
from portal.tenancy.models import Membership, Role, Tenant
from portal.tenancy.scope import ops_scope, tenant_scope
from portal.tenancy.services import create_tenant

PASSWORD = "switchboard-demo"  # noqa: S105 - printed for everyone who runs the demo
TENANTS = (
    (
        "Tower Contracting",
        "America/Chicago",
        (("mara@example.com", "Mara Okafor", Role.OWNER), ("ivo@example.com", "Ivo Lindqvist", Role.MEMBER)),
    ),
    (
        "Harbor Facilities",
        "Europe/London",
        (("noor@example.com", "Noor Haddad", Role.OWNER), ("mara@example.com", "Mara Okafor", Role.VIEWER)),
    ),
)


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This fills a demo; set DEMO=on if that is what you want.")
        for account, (name, zone, people) in enumerate(TENANTS):
            users = [self._person(email, full_name) for email, full_name, _ in people]
            with ops_scope():
                tenant = Tenant.objects.filter(name=name).first()
            if tenant is None:
                tenant = create_tenant(name=name, time_zone=zone, currency="USD", owner=users[0])
            for user, (_, _, role) in zip(users, people, strict=True):
                with tenant_scope(tenant.pk):
                    Membership.objects.get_or_create(tenant=tenant, user=user, defaults={"role": role})
            for vendor in settings.SANDBOX_URLS:
                self._connection(tenant, vendor, account, users[0])
            self.stdout.write(f"{name}: {len(settings.SANDBOX_URLS)} connections")
        self._operator()
        self.stdout.write(json.dumps({"email": TENANTS[0][2][0][0], "password": PASSWORD}))

    def _person(self, email: str, name: str, **more: Any) -> User:
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(email, PASSWORD, name=name, **more)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    def _operator(self) -> None:
        self._person("operator@example.com", "Olu Operator", is_staff=True, is_superuser=True)

    def _connection(self, tenant: Tenant, vendor: str, account: int, owner: User) -> None:
        """A new connection as its form would make it; an old one is pointed at where the sandbox is now."""
        connector = connectors()[vendor]
        box = emulator(vendor)
        box.url = settings.SANDBOX_URLS[vendor]
        vendor_settings, secrets = box.demo_setup(account)
        with tenant_scope(tenant.pk):
            former = Connection.objects.filter(
                tenant=tenant, vendor=vendor, account=connector.identity(vendor_settings)
            ).first()
            if former is not None:
                former.settings = vendor_settings
                former.save(update_fields=["settings"])
                return
            connection = save_draft(
                None, vendor=vendor, name=connector.label, settings=vendor_settings, secrets=secrets, by=owner
            )
            opened = secrets_of(connection, {})
        if connector.uses_redirect(vendor_settings):
            return  # a person consents on the vendor's page
        found, tokens = try_out(connector, vendor_settings, opened)
        with tenant_scope(tenant.pk):
            mark_connected(connection, found, tokens, by=owner)
            begin(connection, by=owner)
