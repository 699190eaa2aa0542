import re
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from integrations.records.queries import billings
from integrations.values import BillingStatus
from portal.pages.keyset import Cursor, Order
from tests import sample_data
from tests.page_fixtures import House


def today(house: House):
    return timezone.localdate(timezone=ZoneInfo(house.tenant.time_zone))


@pytest.fixture
def bills(house: House, neighbour: House):
    day = today(house)
    with neighbour.scope:
        theirs = sample_data.connect(neighbour.tenant, "ledger")
        sample_data.billing(theirs, number="THEIRS", amount=Decimal(7_777_777), balance=Decimal(7_777_777))
    with house.scope:
        connection = sample_data.connect(house.tenant, "ledger")
        sample_data.billings(
            connection,
            [
                {"number": "LATE", "due_date": day - timedelta(days=1), "billed_date": day - timedelta(days=31)},
                {"number": "TODAY", "due_date": day, "billed_date": day - timedelta(days=30), "account": "Nimbus"},
                {"number": "PAID", "status": BillingStatus.PAID, "due_date": day - timedelta(days=9), "balance": 0},
                {"number": "DRAFT", "status": BillingStatus.DRAFT, "amount": Decimal(5_000_000)},
                {"number": "VOID", "status": BillingStatus.VOID, "amount": Decimal(6_000_000)},
                {"number": "EURO", "currency": "EUR", "amount": Decimal(40), "balance": Decimal("12.5")},
                {"number": "NONE", "currency": "", "amount": Decimal(3), "balance": None, "paid_amount": Decimal(1)},
            ],
        )
    return connection


def listed(house: House, query: str = "") -> list[str]:
    text = house.text(f"billings/?{query}")
    assert "THEIRS" not in text
    return re.findall(r'/billings/\d+/">([^<]+)</a>', text)


def test_what_is_owed_comes_first_by_its_due_date(house: House, bills):
    assert listed(house)[:2] == ["LATE", "TODAY"]
    assert "PAID" not in listed(house)


def test_each_order_puts_undated_ones_last(house: House, bills):
    assert listed(house, "status=all&sort=-billed")[:2] == ["TODAY", "LATE"]
    assert listed(house, "status=all&sort=billed")[:2] == ["LATE", "TODAY"]
    assert listed(house, "status=all&sort=due")[:3] == ["PAID", "LATE", "TODAY"]
    assert listed(house, "status=all&sort=-due")[:3] == ["TODAY", "LATE", "PAID"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=outstanding", {"LATE", "TODAY", "EURO", "NONE"}),
        ("status=overdue", {"LATE"}),
        ("status=paid", {"PAID"}),
        ("status=draft", {"DRAFT"}),
        ("account=Nimbus", {"TODAY"}),
        ("q=euro", {"EURO"}),
    ],
)
def test_each_filter_narrows_the_list(house: House, bills, query, expected):
    assert set(listed(house, query)) == expected


def test_due_days_are_bare_dates(house: House, bills):
    day = today(house)
    assert listed(house, f"due_from={day}&due_to={day}") == ["TODAY"]


def test_what_is_due_today_is_not_overdue_yet(house: House, bills):
    text = " ".join(house.text("billings/?status=all").split())
    rows = dict(re.findall(r'/">(\w+)</a>.*?class="badge[^>]*>([^<]+)<', text.split("</thead>")[1]))
    assert rows["LATE"] == "Overdue"
    assert rows["TODAY"] == "Billed"
    assert rows["PAID"] == "Paid"


def test_the_tenants_own_day_decides_wherever_the_reader_sits(house: House, neighbour: House, time_machine):
    time_machine.move_to("2026-11-25T03:00:00Z")  # still the 24th in Chicago
    house.client.force_login(house.owner)
    house.owner.time_zone = "Asia/Tokyo"
    house.owner.save()
    with house.scope:
        connection = sample_data.connect(house.tenant, "ledger")
        sample_data.billing(connection, number="B", due_date="2026-11-24")
    assert "Overdue" not in re.sub(r"menu-item[^<]*<", "", house.text("billings/"))
    time_machine.move_to("2026-11-25T07:00:00Z")
    assert "Overdue" in re.sub(r"menu-item[^<]*<", "", house.text("billings/"))


def test_totals_keep_currencies_apart_and_leave_out_drafts_and_void_ones(house: House, bills):
    text = " ".join(house.text("billings/?status=all").split())
    assert "<strong>$300</strong> in 3 billings · $200 outstanding" in text
    assert "<strong>€40</strong> in 1 billing · €12 outstanding" in text or "€13 outstanding" in text
    assert "<strong>3 (currency not given)</strong> in 1 billing · 2 (currency not given) outstanding" in text
    assert "are not added up" in house.text("billings/?status=draft")


def test_totals_of_too_many_are_not_guessed(house: House, bills, monkeypatch):
    cap(60, monkeypatch)
    with house.scope:
        sample_data.billings(bills, [{} for _ in range(80)])
    text = house.text("billings/")
    assert "narrow the list" in text
    assert "1–50 of more than 60" in text


def test_totals_of_one_account_are_added_up(house: House, bills, monkeypatch):
    with house.scope:
        sample_data.billings(bills, [{"account": "Summit"} for _ in range(60)])
    text = house.text("billings/?account=Summit")
    assert "<strong>$6,000</strong> in 60 billings" in text
    assert "1–50 of 60" in text
    cap(55, monkeypatch)
    text = house.text("billings/?account=Summit")
    assert "narrow the list" in text
    assert "1–50 of more than 55" in text


def test_totals_of_a_part_are_not_shown_as_those_of_all(house: House, bills, monkeypatch):
    """However many of the part are not added up."""
    with house.scope:
        rows = [{"account": "Summit", "status": BillingStatus.DRAFT} for _ in range(30)]
        sample_data.billings(bills, rows + [{"account": "Summit"} for _ in range(30)])
    cap(55, monkeypatch)
    assert "narrow the list" in house.text("billings/?status=all&account=Summit")


def test_a_cursor_made_by_hand_has_no_more_added_up(house: House, bills, monkeypatch):
    """The place it tells is taken for its word; how many rows there are is not."""
    with house.scope:
        sample_data.billings(bills, [{"due_date": date(2026, 12, 1)} for _ in range(60)])
        last = billings(house.tenant.pk).exclude(due_date=None).order_by("due_date", "record_id").last()
    cap(55, monkeypatch)
    order = Order(column="due_date")
    after = Cursor(value=last.due_date, id=last.record_id - 1, position=0).encode(order)
    assert "narrow the list" in house.text(f"billings/?status=all&after={after}")


def test_what_a_common_word_finds_is_added_up_where_the_list_is_not_long(house: House, bills, monkeypatch):
    monkeypatch.setattr("integrations.records.search.MOST", 0)
    with house.scope:
        sample_data.billings(bills, [{"account": "Summit"} for _ in range(60)])
    assert "<strong>$6,000</strong> in 60 billings" in house.text("billings/?q=summit")
    monkeypatch.setattr("portal.pages.lists.MOST_WALKED", 55)
    assert "narrow the list" in house.text("billings/?q=summit")


def test_the_detail_shows_payments_and_the_deal(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "ledger")
        deal = sample_data.store(connection, "deals", {"name": "Season 2026/27"}, external_id="d1")
        bill = sample_data.billing(connection, deal_id="d1")
        payment = {"reference": "P-1", "amount": 1250.5, "date": "2026-11-02"}
        sample_data.store(connection, "billing-payments", payment, parent_id=bill.record.external_id)
    text = house.text(f"billings/{bill.pk}/")
    assert "P-1" in text
    assert "1,250.50" in text
    assert f"/records/{deal.pk}/" in text
    assert "Season 2026/27" in text
    assert neighbour.get(f"billings/{bill.pk}/").status_code == 404
    with neighbour.scope:
        theirs = sample_data.billing(sample_data.connect(neighbour.tenant, "ledger"), deal_id="d1")
    assert "Season 2026/27" not in neighbour.text(f"billings/{theirs.pk}/")


def test_the_list_asks_few_questions(house: House, bills, statements):
    asked = statements(lambda: house.text("billings/?status=outstanding"))
    assert len(asked) <= 8, asked


def cap(number: int, monkeypatch) -> None:
    """So many rows a list counts and adds up."""
    monkeypatch.setattr("portal.pages.keyset.COUNT_CAP", number)
    monkeypatch.setattr("portal.pages.lists.COUNT_CAP", number)
