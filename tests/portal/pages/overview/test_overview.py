import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from integrations.connections.models import Connection, ConnectionState
from integrations.problems.services import open_problem
from integrations.records.models import Billing
from integrations.sync.models import StreamState, SyncRun
from integrations.values import BillingStatus, BookingKind, WorkOrderStatus
from portal.pages.overview.queries import nav_counts
from portal.tenancy.models import Membership, Role
from portal.tenancy.services import create_tenant
from tests import sample_data
from tests.page_fixtures import House


@pytest.fixture(autouse=True)
def nothing_kept():
    cache.clear()


def words(text: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", text).split())


@pytest.fixture
def busy(house: House, neighbour: House) -> House:
    now = timezone.now()
    day = timezone.localdate(timezone=ZoneInfo(house.tenant.time_zone))
    for one, factor in ((house, 1), (neighbour, 7)):
        with one.scope:
            fieldwork = sample_data.connect(one.tenant, "fieldwork", synced_at=now)
            ledger = sample_data.connect(one.tenant, "ledger", synced_at=now)
            rooms = sample_data.connect(one.tenant, "roombook", synced_at=now)
            sample_data.work_orders(
                fieldwork,
                [{"number": f"{one.tenant.pk}-L{n}", "due_at": now - timedelta(days=n + 1)} for n in range(6 * factor)]
                + [{"due_at": now + timedelta(days=1), "opened_at": now}]
                + [{"status": WorkOrderStatus.COMPLETED, "due_at": now - timedelta(days=90)}],
            )
            owed = {"billed_date": day, "balance": Decimal(100 * factor), "amount": Decimal(150 * factor)}
            sample_data.billings(
                ledger,
                [
                    owed | {"due_date": day - timedelta(days=1)},
                    owed | {"due_date": day},
                    owed | {"currency": "EUR"},
                    owed | {"status": BillingStatus.DRAFT, "amount": Decimal(9_999_999)},
                ],
            )
            noon = timezone.now().replace(minute=0)
            sample_data.bookings(
                rooms,
                [{"starts_at": noon, "ends_at": noon + timedelta(minutes=1), "resource": f"Room of {one.tenant.pk}"}]
                + [{"starts_at": noon, "kind": BookingKind.DESK}] * 3,
            )
    return house


def test_what_was_scheduled_and_is_past_its_date_is_overdue_as_in_the_list(busy: House):
    with busy.scope:
        ledger = Connection.objects.get(vendor="ledger")
        day = timezone.localdate(timezone=ZoneInfo(busy.tenant.time_zone)) - timedelta(days=2)
        facts = {"status": BillingStatus.SCHEDULED, "amount": Decimal(40), "balance": Decimal(40), "due_date": day}
        sample_data.billing(ledger, number="SCHEDULED", **facts)

    assert "$140 overdue" in words(busy.text())
    assert "SCHEDULED" in busy.text("billings/?status=overdue")


def test_figures_are_those_of_the_tenant(busy: House):
    shown = words(busy.text())
    assert "Open work orders 7 6 past due · 1 new today" in shown
    assert "Bookings today 4 3 desks · 1 room" in shown
    assert "Outstanding billings $200 2 billings · $100 overdue · more in 1 other currency" in shown
    assert "Connections 3 of 3 healthy" in shown
    assert f"{busy.tenant.pk}-L5" in shown
    assert "View all 6" in shown


def test_the_greeting_and_the_day_follow_the_readers_clock(busy: House, time_machine):
    for hour, greeting in ((14, "morning"), (20, "afternoon"), (26, "evening")):
        time_machine.move_to(datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=hour))
        busy.client.force_login(busy.owner)
        assert f"Good {greeting}, Mara" in busy.text()


def test_the_chart_is_told_in_a_table_and_keeps_to_one_currency(busy: House):
    text = busy.text()
    month = timezone.localdate(timezone=ZoneInfo(busy.tenant.time_zone)).strftime("%b")
    assert f'<th scope="row">{month}</th><td>$300</td><td>$100</td><td>$200</td>' in text
    assert "In USD only. Also outstanding: €100." in words(text)
    assert 'role="img"' in text
    assert "style=" not in text


def test_new_money_shows_as_soon_as_a_run_has_stored_it(busy: House):
    busy.text()
    with busy.scope:
        Billing.objects.filter(tenant=busy.tenant, currency="USD").update(balance=Decimal(500))
        assert "$200" in words(busy.text())  # nothing came in by a run: what was worked out a moment ago is kept
        StreamState.objects.filter(tenant=busy.tenant, stream="billings").update(last_attempt_at=timezone.now())
    assert "$1,000" in words(busy.text())


def test_problems_come_first_with_the_connections_one_button(busy: House, neighbour: House):
    with neighbour.scope:
        theirs = sample_data.connect(neighbour.tenant, "roombook", name="Their rooms")
        open_problem(theirs.pk, code="x", words="Their trouble")
    with busy.scope:
        broken = sample_data.connect(
            busy.tenant, "roombook", name="HQ rooms", state=ConnectionState.NEEDS_RECONNECT, reason="Access ended."
        )
        open_problem(broken.pk, code="reconnect", words="Access ended on 20 Nov.")
        open_problem(broken.pk, code="slow", words="The vendor is slow.", needs_a_person=False)
    text = busy.text()
    assert "HQ rooms needs you" in words(text)
    assert "Access ended on 20 Nov." in text
    assert f"/connections/{broken.pk}/edit/" in text
    assert text.index("Access ended on 20 Nov.") < text.index("Open work orders")
    assert "The vendor is slow." not in text
    assert "Their trouble" not in text
    with busy.scope:
        Membership.objects.filter(user=busy.owner).update(role=Role.VIEWER)
    text = busy.text()
    assert "HQ rooms needs an admin" in words(text)
    assert f"/connections/{broken.pk}/edit/" not in text


def test_the_page_looks_again_only_while_something_is_read(busy: House, neighbour: House):
    with neighbour.scope:
        sample_data.start_run(fieldwork_of(neighbour), "sites")
    assert "every 4s" not in busy.text()
    with busy.scope:
        run = sample_data.start_run(fieldwork_of(busy), "sites", read=4_200, expected=11_000)
    text = busy.text()
    assert "every 4s" in text
    assert "Sites: 4,200 of 11,000" in words(text)
    part = busy.get("overview/connections/", **{"HX-Request": "true"})
    assert "HX-Trigger" not in part.headers
    with busy.scope:
        SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now(), state="done")
    part = busy.get("overview/connections/", **{"HX-Request": "true"})
    assert part.headers["HX-Trigger"] == "synced"
    assert b"every 4s" not in part.content
    assert busy.get("overview/connections/").status_code == 302


def fieldwork_of(one: House):
    return Connection.objects.get(tenant=one.tenant, vendor="fieldwork")


def test_a_new_tenant_is_told_what_to_do_first(house: House, neighbour: House, busy):
    other = new_tenant(house)
    text = house.client.get(f"/t/{other.slug}/").content.decode()
    assert "Connect your first vendor" in text
    assert f"/t/{other.slug}/connections/" in text


def new_tenant(house: House):
    return create_tenant(name="Fresh", time_zone="UTC", currency="EUR", owner=house.owner)


def test_strangers_get_the_page_of_what_never_existed(busy: House, neighbour: House):
    for path in ("", "overview/connections/"):
        assert neighbour.client.get(busy.url(path)).status_code == 404


def test_the_overview_asks_few_questions(busy: House, statements):
    first = statements(busy.text)
    again = statements(busy.text)
    assert len(first) <= 15, first
    assert len(again) <= 12, again


def test_the_navigation_counts_in_one_question_and_stops_at_the_cap(busy: House, statements, monkeypatch):
    with busy.scope:
        asked = statements(lambda: nav_counts(busy.tenant.pk))
        assert nav_counts(busy.tenant.pk).pages == {"work-orders": 7, "bookings": 4, "billings": 3}
        monkeypatch.setattr("portal.pages.overview.queries.NAV_CAP", 2)
        assert nav_counts(busy.tenant.pk).pages == {"work-orders": "2+", "bookings": "2+", "billings": "2+"}
    assert len(asked) == 1


def test_a_cache_that_is_down_only_costs_time(busy: House, monkeypatch):
    def refuse(*_args: object, **_options: object) -> None:
        raise RedisError

    monkeypatch.setattr("portal.pages.overview.queries.cache.get", refuse)
    assert "$200" in words(busy.text())
