"""What will run out is listed, warned of in time, and no longer spoken of once it has moved on."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from integrations.connections.expiries import Ending, endings, today_of
from integrations.connections.models import Connection, ConnectionState, Token
from integrations.connections.tasks import warn_of_expiries
from integrations.contract import Expiry
from integrations.problems.models import Problem
from integrations.problems.services import close_problems
from portal.tenancy.models import Membership, Role
from tests import sample_data
from tests.page_fixtures import House, house, neighbour, sample_vendors

__all__ = ["house", "neighbour", "sample_vendors"]
pytestmark = [pytest.mark.server, pytest.mark.django_db]


def ledger(house: House, in_days: int, **fields: Any) -> Connection:
    """A connection whose subscription ends so many days from today in the tenant's zone."""
    ends = today_of(house.tenant) + timedelta(days=in_days)
    with house.scope:
        return sample_data.connect(house.tenant, "ledger", settings={"subscription_ends": ends.isoformat()}, **fields)


def found(house: House) -> list[Ending]:
    with house.scope:
        return endings(house.tenant, Connection.objects.filter(tenant=house.tenant))


def open_problems(house: House) -> list[Problem]:
    with house.scope:
        return list(Problem.objects.filter(tenant=house.tenant, closed_at=None).order_by("pk"))


def move(house: House, connection: Connection, **fields: Any) -> None:
    with house.scope:
        Connection.objects.filter(pk=connection.pk).update(**fields)


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "today"), (1, "tomorrow"), (2, "in 2 days"), (30, "in 30 days"), (-1, "yesterday"), (-4, "4 days ago")],
)
def test_the_days_left_are_words(days: int, words: str) -> None:
    expiry = Expiry(key="x", what="It", ends_on=date(2026, 12, 5), cure="Prolong it.")
    assert Ending(connection=Connection(), expiry=expiry, days_left=days).when == words


def test_the_words_have_the_date_and_the_cure() -> None:
    expiry = Expiry(key="x", what="The access token", ends_on=date(2026, 12, 5), cure="Renew it under Apps.")

    before, after = (Ending(connection=Connection(), expiry=expiry, days_left=days).words for days in (7, -2))

    assert before == "The access token ends on 5 December 2026, in 7 days. Renew it under Apps."
    assert after == "The access token ended on 5 December 2026, 2 days ago. Renew it under Apps."


def test_a_day_begins_in_the_tenants_zone(house: House) -> None:
    """Chicago is still on the day before when it is the small hours in UTC."""
    connection = ledger(house, 0)
    move(house, connection, settings={"subscription_ends": "2026-12-05"})
    with time_machine.travel(datetime(2026, 12, 5, 3, tzinfo=ZoneInfo("UTC"))):
        assert [ending.when for ending in found(house)] == ["tomorrow"]


def test_the_soonest_comes_first(house: House) -> None:
    late, soon = ledger(house, 90, name="Late"), ledger(house, 9, name="Soon")
    assert [ending.connection for ending in found(house)] == [soon, late]


def test_a_warning_opens_from_the_longest_day_on(house: House, neighbour: House) -> None:
    ledger(house, 31)
    near = ledger(house, 30)
    ledger(neighbour, 31)

    warn_of_expiries()

    (problem,) = open_problems(house)
    assert (problem.connection_id, problem.code, problem.needs_a_person) == (near.pk, "expires_subscription", True)
    assert "in 30 days" in problem.words
    assert "Prolong it at Ledger under Account, Plan." in problem.words
    assert problem.who
    assert open_problems(neighbour) == []


def test_the_same_warning_is_one_problem_with_words_of_today(house: House) -> None:
    ledger(house, 12)
    warn_of_expiries()

    with time_machine.travel(timezone.now() + timedelta(days=5)):
        warn_of_expiries()

    (problem,) = open_problems(house)
    assert "in 7 days" in problem.words


def test_it_closes_when_the_date_has_moved_on(house: House) -> None:
    connection = ledger(house, 5)
    warn_of_expiries()

    move(house, connection, settings={"subscription_ends": "2099-01-01"})
    warn_of_expiries()

    assert open_problems(house) == []


def test_a_good_sync_does_not_close_it(house: House) -> None:
    connection = ledger(house, 5)
    warn_of_expiries()

    with house.scope:
        close_problems(connection.pk)

    assert len(open_problems(house)) == 1


@pytest.mark.parametrize(
    "state",
    [
        ConnectionState.DRAFT,
        ConnectionState.WAITING_FOR_VENDOR,
        ConnectionState.PAUSED,
        ConnectionState.DISCONNECTED,
    ],
)
def test_nothing_is_said_of_what_nobody_uses(house: House, state: ConnectionState) -> None:
    connection = ledger(house, 5)
    warn_of_expiries()
    move(house, connection, state=state)

    warn_of_expiries()

    assert open_problems(house) == []
    assert found(house) == []
    assert "What will run out" not in house.text("connections/")


@pytest.mark.parametrize(("role", "may_mend"), [(Role.ADMIN, True), (Role.MEMBER, False), (Role.VIEWER, False)])
def test_whoever_can_mend_it_gets_the_button_and_nobody_else_is_alarmed(
    house: House, role: Role, may_mend: bool
) -> None:
    details = house.url(f"connections/{ledger(house, 5).pk}/edit/")
    with house.scope:
        Membership.objects.filter(user=house.owner).update(role=role)

    page = house.text("connections/")

    assert (f'href="{details}"' in page) is may_mend
    assert f'badge {"bad" if may_mend else "warn"}">in 5 days' in page


@pytest.mark.parametrize("deed", ["pause", "disconnect"])
def test_pausing_and_disconnecting_close_it_at_once(house: House, deed: str) -> None:
    connection = ledger(house, 5)
    warn_of_expiries()

    house.client.post(house.url(f"connections/{connection.pk}/{deed}/"))

    assert open_problems(house) == []


def test_a_refresh_token_counts_only_where_nothing_keeps_it_alive(house: House) -> None:
    connection = ledger(house, 365)
    now = timezone.now()
    with house.scope:
        token = Token.objects.create(
            tenant=house.tenant,
            connection=connection,
            access=b"",
            expires_at=now,
            refresh_expires_at=now + timedelta(days=3),
            keep_alive_at=now,
        )
    assert [ending.expiry.key for ending in found(house)] == ["subscription"]

    with house.scope:
        Token.objects.filter(pk=token.pk).update(keep_alive_at=None)

    first, _ = found(house)
    assert (first.expiry.key, first.when) == ("access", "in 3 days")


def test_the_pages_list_it_for_this_tenant_alone(house: House, neighbour: House) -> None:
    connection = ledger(house, 12)
    ledger(neighbour, 3, name="Theirs")

    for path in ("connections/", f"connections/{connection.pk}/"):
        text = house.text(path)
        assert "The subscription to Ledger" in text
        assert "in 12 days" in text
        assert "in 3 days" not in text
        assert "Theirs" not in text


def test_the_overview_leads_to_the_details_where_it_is_prolonged(house: House) -> None:
    connection = ledger(house, 2)
    warn_of_expiries()

    assert f"/connections/{connection.pk}/edit/" in house.text()
    with house.scope:
        Membership.objects.filter(user=house.owner).update(role=Role.VIEWER)
    assert f"/connections/{connection.pk}/edit/" not in house.text()
