"""Every address of every tenant, tried by everyone it is not for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState, SecretLink
from integrations.records.models import Record
from integrations.sync.models import Rebuild, StreamState, SyncRun
from portal.accounts.models import User
from portal.tenancy.models import Invitation, Membership, Role, Tenant, new_secret
from portal.tenancy.scope import tenant_scope
from tests.factories import a_membership, a_tenant, a_user

pytestmark = [pytest.mark.server, pytest.mark.django_db]
SignIn = Callable[[User], Client]


@dataclass(frozen=True)
class Door:
    """One address below /t/<slug>/: its name and how to fill its parts."""

    name: str
    pattern: URLPattern
    route: str

    def of(self, things: dict[str, object]) -> str:
        address = self.route
        for part, converter in self.pattern.pattern.converters.items():
            kind = type(converter).__name__.removesuffix("Converter").lower()
            kind = {"string": "str"}.get(kind, kind)
            address = address.replace(f"<{kind}:{part}>", str(things[part]))
        return "/" + address.replace("<slug:tenant_slug>", str(things["tenant_slug"]))


def doors() -> Iterator[Door]:
    def walk(resolver: URLResolver, route: str) -> Iterator[Door]:
        for entry in resolver.url_patterns:
            here = route + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, here)
            elif here.startswith("t/<slug:tenant_slug>/"):
                yield Door(entry.name or here, entry, here)

    yield from walk(get_resolver(), "")


DOORS = list(doors())


@dataclass(frozen=True)
class House:
    tenant: Tenant
    owner: User
    things: dict[str, object]


def a_house() -> House:
    """A tenant with one of everything an address can name."""
    owner = a_user()
    tenant = a_tenant(owner=owner)
    colleague = a_membership(tenant=tenant, role=Role.VIEWER)
    now = timezone.now()
    with tenant_scope(tenant.pk):
        connection = Connection.objects.create(
            tenant=tenant, vendor="kore", name="KORE", state=ConnectionState.ACTIVE, connected_at=now, account="x"
        )
        state = StreamState.objects.create(tenant=tenant, connection=connection, stream="billings")
        run = SyncRun.objects.create(
            tenant=tenant, connection=connection, stream_state=state, stream="billings", kind="backfill"
        )
        rebuild = Rebuild.objects.create(
            tenant=tenant, connection=connection, stream_state=state, stream="billings", run_id=run.pk, asked_at=now
        )
        record = Record.objects.create(
            tenant=tenant,
            connection=connection,
            stream="deals",
            external_id="1",
            payload="{}",
            digest=b"",
            first_seen_at=now,
            changed_at=now,
            first_run_id=run.pk,
            changed_run_id=run.pk,
        )
        invitation = Invitation.objects.create(
            tenant=tenant, email="new@example.com", digest=new_secret()[1], expires_at=now + timedelta(days=1)
        )
        link = SecretLink.objects.create(
            tenant=tenant,
            connection=connection,
            whom="Priya",
            names=["client_secret"],
            digest=new_secret()[1],
            asked_by=owner,
            expires_at=now + timedelta(days=1),
        )
    things: dict[str, object] = {
        "tenant_slug": tenant.slug,
        "connection_id": connection.pk,
        "run_id": run.pk,
        "rebuild_id": rebuild.pk,
        "pk": record.pk,
        "vendor": "kore",
        "stream": "deals",
        "membership_id": colleague.pk,
        "invitation_id": invitation.pk,
        "link_id": link.pk,
    }
    return House(tenant, owner, things)


def test_the_walk_finds_the_site() -> None:
    names = {door.name for door in DOORS}
    assert {"overview", "work-orders", "billing", "connection", "people", "activity"} <= names


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_every_view_of_a_tenant_says_which_role_it_takes(door: Door) -> None:
    assert isinstance(getattr(door.pattern.callback, "required_role", None), Role)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_another_tenants_address_does_not_exist(door: Door, method: str, signed_in: SignIn) -> None:
    ours, theirs = a_house(), a_house()
    before = facts_of(theirs)

    answer = getattr(signed_in(ours.owner), method)(door.of(theirs.things))

    assert answer.status_code == 404
    assert theirs.tenant.name not in answer.content.decode() or ours.tenant.name == theirs.tenant.name
    assert facts_of(theirs) == before


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "door", [door for door in DOORS if door.pattern.pattern.converters], ids=lambda door: door.name
)
def test_another_tenants_thing_does_not_exist_under_ones_own_address(
    door: Door, method: str, signed_in: SignIn
) -> None:
    ours, theirs = a_house(), a_house()
    before = facts_of(theirs)
    smuggled = {**theirs.things, "tenant_slug": ours.tenant.slug}

    answer = getattr(signed_in(ours.owner), method)(door.of(smuggled))

    by_name_only = {
        "connect",
        "records",
        "records-csv",
        "records-xlsx",
    }  # a vendor's or stream's name is everyone's; the rows behind it are not
    assert answer.status_code in ({404, 405} if door.name not in by_name_only else {200, 302, 404, 405, 422})
    assert facts_of(theirs) == before


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_stranger_is_asked_to_sign_in_and_learns_nothing(door: Door, client: Client) -> None:
    house = a_house()
    known = client.get(door.of(house.things))
    unknown = client.get(door.of({**house.things, "tenant_slug": "no-such-tenant"}))

    assert (known.status_code, unknown.status_code) == (302, 302)
    assert known["Location"].startswith("/accounts/login/")


def test_a_former_member_is_a_stranger_at_once(signed_in: SignIn) -> None:
    house = a_house()
    member = a_membership(tenant=house.tenant)
    browser = signed_in(member.user)
    assert browser.get(f"/t/{house.tenant.slug}/work-orders/").status_code == 200

    with tenant_scope(house.tenant.pk):
        Membership.objects.filter(pk=member.pk).delete()

    assert browser.get(f"/t/{house.tenant.slug}/work-orders/").status_code == 404


def facts_of(house: House) -> list[object]:
    """What a stranger's request might have changed."""
    connection_id = house.things["connection_id"]
    assert isinstance(connection_id, UUID)
    with tenant_scope(house.tenant.pk):
        return [
            *Connection.objects.values_list("pk", "name", "state", "settings"),
            *SyncRun.objects.values_list("pk", "state"),
            *Rebuild.objects.values_list("pk", "state"),
            *Membership.objects.values_list("pk", "role").order_by("pk"),
            *Invitation.objects.values_list("pk", "digest"),
            *SecretLink.objects.values_list("pk", "digest", "revoked_at"),
            *Tenant.objects.values_list("pk", "name", "currency"),
        ]
