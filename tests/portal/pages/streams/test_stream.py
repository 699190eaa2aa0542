"""A stream's own page, for admins: how the vendor's answers have changed, and what is set aside."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.records.models import KnownField, Record, RejectedRecord
from integrations.sync.models import StreamState
from portal.tenancy.models import Event, Role
from tests import sample_data
from tests.factories import a_membership
from tests.page_fixtures import House


@pytest.fixture
def fieldwork(house: House, neighbour: House) -> Connection:
    """A connection; the neighbour has one too, with notes and something set aside."""
    with neighbour.scope:
        theirs = sample_data.connect(neighbour.tenant, "fieldwork")
        known(theirs, "theirField", is_new=True, records=7)
        set_aside(theirs, "THEIRS")
    with house.scope:
        return sample_data.connect(house.tenant, "fieldwork", name="North")


def known(connection: Connection, name: str, *, stream: str = "sites", **fields: object) -> None:
    KnownField.objects.create(
        tenant_id=connection.tenant_id, connection=connection, stream=stream, name=name, run_id=1, **fields
    )


def set_aside(connection: Connection, key: str, *, stream: str = "sites", **fields: object) -> None:
    usual = {"payload": '{"Name": "Dallas HQ"}', "reason": "It has no name.", "run_id": 1, "origin": {}}
    RejectedRecord.objects.create(
        tenant_id=connection.tenant_id, connection=connection, stream=stream, key=key, **usual | fields
    )


def page(house: House, connection: Connection, stream: str = "sites") -> str:
    return " ".join(house.text(f"connections/{connection.pk}/streams/{stream}/").split())


def signed_in(house: House, role: Role) -> Client:
    client = Client()
    client.force_login(a_membership(tenant=house.tenant, role=role).user)
    return client


def test_a_new_field_a_lost_one_and_another_type_are_told_in_words(house: House, fieldwork: Connection) -> None:
    now = timezone.now()
    with house.scope:
        known(fieldwork, "warrantyEnds", is_new=True, records=12)
        known(fieldwork, "Floors", types="number,text", types_before="number", types_changed_at=now)
        known(fieldwork, "Rent", lost_at=now)
        known(fieldwork, "old", is_new=True, first_seen_at=now - timedelta(days=100))
        known(fieldwork, "usual")
    text = page(house, fieldwork)
    assert "New field <code>warrantyEnds</code> since" in text
    assert "In 12 new or changed records: kept, not shown yet." in text
    assert "<code>Floors</code> is of another type since" in text
    assert "It came as number, now it comes as number or text." in text
    assert "<code>Rent</code> is gone since" in text
    assert "Pages show it as empty." in text
    assert not [name for name in ("<code>old<", "<code>usual<", "theirField", "THEIRS") if name in text]


def test_what_lies_within_a_new_object_is_not_told_beside_it(house: House, fieldwork: Connection) -> None:
    with house.scope:
        for name in ("warranty", "warranty.ends", "Address.Floor"):
            known(fieldwork, name, is_new=True, records=1)
    text = page(house, fieldwork)
    assert "<code>warranty</code>" in text
    assert "<code>warranty.ends</code>" not in text
    assert "<code>Address.Floor</code>" in text


def test_only_admins_are_told_and_nobody_is_alarmed(house: House, fieldwork: Connection) -> None:
    with house.scope:
        known(fieldwork, "warrantyEnds", is_new=True, records=12)
        set_aside(fieldwork, "1")
    own = f"connections/{fieldwork.pk}/"
    text = " ".join(house.text(own).split())
    assert 'streams/sites/">Sites</a><span class="sub">1 new field, 1 record set aside</span>' in text
    assert "notice bad" not in text
    for role, status in ((Role.ADMIN, 200), (Role.MEMBER, 403), (Role.VIEWER, 403)):
        client = signed_in(house, role)
        assert client.get(house.url(f"{own}streams/sites/")).status_code == status
        assert (b"Worth a look" in client.get(house.url(own)).content) is (status == 200)
        retried = client.post(house.url(f"{own}streams/sites/try-again/"))
        assert retried.status_code == (302 if status == 200 else 403)


def test_what_was_copied_once_can_be_read_anew_from_here(house: House, fieldwork: Connection) -> None:
    anew = house.url(f"connections/{fieldwork.pk}/streams/sites/anew/")
    states = StreamState.objects.filter(connection=fieldwork, stream="sites")
    for last_good_at, is_offered in ((None, False), (timezone.now(), True)):
        with house.scope:
            states.update(last_good_at=last_good_at)
        assert (f'href="{anew}"' in page(house, fieldwork)) is is_offered
    assert house.client.get(anew).status_code == 200


def test_the_neighbours_stream_does_not_exist(house: House, neighbour: House, fieldwork: Connection) -> None:
    path = f"connections/{fieldwork.pk}/streams/sites/"
    assert neighbour.get(path).status_code == 404
    assert neighbour.client.post(neighbour.url(f"{path}try-again/")).status_code == 404
    assert house.get(f"connections/{fieldwork.pk}/streams/nothing/").status_code == 404


def test_what_is_set_aside_is_listed_with_its_reason_and_without_what_it_says(
    house: House, fieldwork: Connection
) -> None:
    with house.scope:
        set_aside(fieldwork, "site-7", reason="Its rent is not an amount anyone owes.")
        set_aside(fieldwork, "0123456789abcdef", origin=None)
    text = page(house, fieldwork)
    assert "Its rent is not an amount anyone owes." in text
    assert "site-7" in text
    assert "0123456789abcdef" not in text
    assert "Dallas HQ" not in text


def test_what_can_be_read_by_now_is_stored_on_request(house: House, neighbour: House, fieldwork: Connection) -> None:
    with house.scope:
        set_aside(fieldwork, "site-7", origin={"context": {"from": "a walk"}, "parent_id": "", "position": "2026"})
        set_aside(fieldwork, "site-8", payload="{")
        set_aside(fieldwork, "unknown", origin=None)
    answer = house.client.post(
        house.url(f"connections/{fieldwork.pk}/streams/sites/try-again/"), follow=True
    ).content.decode()
    assert "1 of 2 can be read now" in answer
    with house.scope:
        record = Record.objects.get(connection=fieldwork, external_id="site-7")
        assert (record.title, record.context, record.position) == ("Dallas HQ", {"from": "a walk"}, "2026")
        left = RejectedRecord.objects.filter(connection=fieldwork)
        assert sorted(left.values_list("key", flat=True)) == ["site-8", "unknown"]
        assert StreamState.objects.get(connection=fieldwork, stream="sites").records == 1
        assert Event.objects.get(action="sync.tried_again").details == {"stream": "sites", "tried": 2, "readable": 1}
    with neighbour.scope:
        assert RejectedRecord.objects.count() == 1
