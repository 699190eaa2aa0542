"""A list as a file: what it asks for, by whom, and nothing that could run in a spreadsheet."""

import csv
import io
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrations.records.models import Record
from integrations.values import BillingStatus
from portal.accounts.models import User
from portal.pages.business import exports, spreadsheet
from portal.tenancy.models import Event, Membership, Role
from tests import sample_data
from tests.page_fixtures import House

LISTS = ("work-orders/", "bookings/", "billings/", "records/fieldwork/sites/")
SECRET = "Sale of the company"


@pytest.fixture
def filled(house: House, neighbour: House) -> House:
    """One of everything in both tenants; the neighbour's carry its name."""
    for owner, name in ((neighbour, "NEIGHBOUR"), (house, "OURS")):
        with owner.scope:
            fieldwork = sample_data.connect(owner.tenant, "fieldwork", name=f"{name} fieldwork")
            sample_data.work_order(fieldwork, number=f"{name}-1", title=name)
            sample_data.store(fieldwork, "sites", {"Name": f"{name} site"})
            starts = datetime.now(UTC) + timedelta(days=1)
            sample_data.booking(sample_data.connect(owner.tenant, "roombook"), title=name, starts_at=starts)
            sample_data.billing(sample_data.connect(owner.tenant, "ledger"), number=f"{name}-1", title=name)
    return house


def content(response) -> bytes:
    assert response.status_code == 200, response.status_code
    return b"".join(response.streaming_content)


def table(house: House, path: str) -> list[dict[str, str]]:
    """The CSV's rows by their heads."""
    raw = content(house.get(path))
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def workbook(house: House, path: str) -> list[list[tuple[str, str]]]:
    """The sheet's cells as (type, text), read from the file's own XML; an empty type is a number."""
    return cells_of(content(house.get(path)))


def cells_of(raw: bytes) -> list[list[tuple[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    return [
        [(cell.get("t", ""), "".join(cell.itertext())) for cell in row.iter(f"{space}c")]
        for row in sheet.iter(f"{space}row")
    ]


def a_browser(house: House, role: Role) -> Client:
    user = User.objects.create_user(f"{role.label}@example.com", name=role.label)
    with house.scope:
        Membership.objects.create(tenant=house.tenant, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", LISTS)
def test_every_list_offers_itself_as_a_file(filled: House, path):
    text = filled.text(f"{path}?view=list")
    for form in ("csv", "xlsx"):
        (link,) = re.findall(rf'href="([^"]*/export\.{form}[^"]*)"', text)
        raw = content(filled.client.get(link.replace("&amp;", "&")))
        words = raw.decode() if form == "csv" else str(cells_of(raw))
        assert "OURS" in words
        assert "NEIGHBOUR" not in words


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_another_tenants_export_does_not_exist(filled: House, neighbour: House, path, form):
    assert filled.client.get(neighbour.url(f"{path}export.{form}")).status_code == 404
    with neighbour.scope:
        assert not Event.objects.filter(action="records.exported").exists()


@pytest.mark.parametrize("path", LISTS)
def test_who_may_only_read_does_not_export(filled: House, path):
    viewer, member = a_browser(filled, Role.VIEWER), a_browser(filled, Role.MEMBER)
    assert "export.csv" not in viewer.get(filled.url(f"{path}?view=list")).content.decode()
    assert viewer.get(filled.url(f"{path}export.csv")).status_code == 403
    assert member.get(filled.url(f"{path}export.csv")).status_code == 200


@pytest.mark.parametrize("path", LISTS[:3])
def test_a_neighbours_connection_in_a_filter_exports_nothing(filled: House, neighbour: House, path):
    with neighbour.scope:
        theirs = Record.objects.values_list("connection_id", flat=True)[0]
    response = filled.get(f"{path}export.csv?connection={theirs}&view=list")
    assert response.status_code == 302
    page = filled.client.get(response.headers["Location"]).content.decode()
    assert "is not a choice for connection" in page
    assert "NEIGHBOUR" not in page


def test_the_export_has_what_the_list_shows_in_its_order(house: House, neighbour: House):
    now = datetime.now(UTC)
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        rows = [
            {"number": "LATER", "priority": "high", "due_at": now + timedelta(days=2)},
            {"number": "SOON", "priority": "high", "due_at": now + timedelta(days=1)},
            {"number": "UNDATED", "priority": "high"},
            {"number": "DONE", "priority": "high", "status": "completed", "due_at": now},
            {"number": "LOW", "priority": "low", "due_at": now},
            {"number": "OTHER", "priority": "high", "title": "Lift stuck", "due_at": now},
        ]
        sample_data.work_orders(connection, rows)

    def numbers(query: str) -> list[str]:
        return [row["Number"] for row in table(house, f"work-orders/export.csv?{query}")]

    assert numbers("priority=high&q=door") == ["SOON", "LATER", "UNDATED"]
    assert numbers("priority=high&q=door&sort=-due") == ["LATER", "SOON", "UNDATED"]
    assert numbers("priority=high&q=door&after=WyJkdWVfYXQiLG51bGwsOSwxXQ") == ["SOON", "LATER", "UNDATED"]
    assert set(numbers("status=all")) == {"SOON", "LATER", "UNDATED", "DONE", "LOW", "OTHER"}


@pytest.mark.parametrize("query", ["status=open", "status=all", "status=open&sort=-due"])
def test_a_long_export_goes_chunk_by_chunk_and_misses_nothing(house: House, neighbour: House, monkeypatch, query):
    monkeypatch.setattr(exports, "CHUNK", 7)
    due = datetime.now(UTC)
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        states = ("new", "accepted", "on_hold")
        sample_data.work_orders(
            connection,
            [
                {
                    "number": f"{n}",
                    "status": states[n % 3],
                    "due_at": None if n % 5 == 0 else due + timedelta(hours=n // 4),
                }
                for n in range(60)
            ],
        )
    found = [row["Number"] for row in table(house, f"work-orders/export.csv?{query}")]
    assert len(found) == 60
    assert set(found) == {f"{n}" for n in range(60)}


def test_the_heads_leave_before_the_first_row_is_read(filled: House):
    response = filled.get("work-orders/export.csv")
    with CaptureQueriesContext(database) as captured:
        first = next(iter(response.streaming_content))
    assert b"Number" in first
    assert not captured.captured_queries


def test_a_chunk_costs_the_same_statements_however_many_rows_it_has(house: House, neighbour: House, statements):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        sample_data.work_orders(connection, [{} for _ in range(200)])
    asked = statements(lambda: table(house, "work-orders/export.csv"))
    assert len(asked) <= 8, asked


def test_an_export_that_breaks_off_does_not_look_complete(filled: House, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 1)
    with filled.scope:
        sample_data.work_orders(
            sample_data.connect(filled.tenant, "fieldwork"), [{"number": f"B{n}"} for n in range(3)]
        )
    stream = iter(filled.get("work-orders/export.csv").streaming_content)
    received = [next(stream), next(stream)]
    monkeypatch.setattr("portal.pages.business.exports.tenant_scope", _out_of_order)
    with pytest.raises(RuntimeError):
        received.extend(stream)
    assert b"".join(received).splitlines()[-1].decode() == spreadsheet.INCOMPLETE


def _out_of_order(tenant_id: int):
    raise RuntimeError("the database went away")


def test_who_exported_what_is_in_the_audit_trail(filled: House):
    content(filled.get("work-orders/export.xlsx?priority=normal&q=ours&sort=-due"))
    with filled.scope:
        event = Event.objects.get(action="records.exported")
    assert (event.actor, event.subject) == (filled.owner, "Work orders")
    assert event.details == {
        "stream": "work-orders",
        "format": "xlsx",
        "filters": ["Open", "Priority: Normal"],
        "search": "ours",
        "sort": "-due",
    }


def test_the_files_name_says_whose_what_and_when(house: House, neighbour: House, time_machine):
    time_machine.move_to("2026-11-25T03:00:00Z")  # still the 24th in Chicago
    house.client.force_login(house.owner)
    with house.scope:
        sample_data.connect(house.tenant, "fieldwork")
    response = house.get("records/fieldwork/sites/export.csv")
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="{house.tenant.slug}-fieldwork-sites-2026-11-24.csv"'
    )
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Cache-Control"] == "private, no-store"


HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")')


@pytest.mark.parametrize("words", HOSTILE)
def test_no_text_becomes_a_formula(house: House, neighbour: House, words):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        sample_data.work_order(connection, number=words, title=words, customer=words, assignee=words)
        sample_data.store(connection, "sites", {"Name": words, "Address": {"City": words}, "Rent": words})
    for row in (
        *table(house, "work-orders/export.csv"),
        *table(house, "records/fieldwork/sites/export.csv"),
    ):
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or _is_number(cell)
    for path in ("work-orders/export.xlsx", "records/fieldwork/sites/export.xlsx"):
        raw = content(house.get(path))
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "<hyperlink" not in sheet


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None


def test_money_is_a_number_beside_its_currency(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "ledger")
        sample_data.billing(
            connection, amount=Decimal("-1234.5000"), balance=None, currency="EUR", due_date=date(2026, 11, 24)
        )
    (row,) = table(house, "billings/export.csv")
    assert (row["Amount"], row["Currency"], row["Balance"], row["Due on"]) == ("-1234.5", "EUR", "", "2026-11-24")
    heads, cells = workbook(house, "billings/export.xlsx")
    by_head = {head: cell for (_, head), cell in zip(heads, cells, strict=False)}
    assert by_head["Amount"] == ("", "-1234.5")
    assert by_head["Number"] == ("inlineStr", "INV-1")


@pytest.mark.parametrize(
    ("zone", "instant", "shown"),
    [
        ("America/Chicago", "2026-11-01T06:30:00+00:00", "2026-11-01T01:30:00-05:00"),
        ("America/Chicago", "2026-11-01T07:30:00+00:00", "2026-11-01T01:30:00-06:00"),
        ("Europe/London", "2026-03-29T01:30:00+00:00", "2026-03-29T02:30:00+01:00"),
        ("Australia/Melbourne", "2026-10-03T16:30:00+00:00", "2026-10-04T03:30:00+11:00"),
    ],
)
def test_moments_stand_in_the_readers_zone_which_the_head_names(house: House, neighbour: House, zone, instant, shown):
    house.owner.time_zone = zone
    house.owner.save()
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        sample_data.work_order(connection, due_at=datetime.fromisoformat(instant))
        sample_data.store(connection, "sites", {"Name": "A", "CheckedAt": instant, "Opened": instant[:10]})
    (order,) = table(house, "work-orders/export.csv")
    assert order[f"Due ({zone})"] == shown
    (site,) = table(house, "records/fieldwork/sites/export.csv")
    assert site[f"Checked ({zone})"] == shown
    assert site["Opened"] == instant[:10]


def test_a_generic_export_has_the_columns_the_stream_declares(house: House, neighbour: House):
    payload = {"Name": "Dallas", "Address": {"City": "x" * 400}, "Rent": 12500.50, "Floors": 4, "IsStaffed": True}
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork", name="North")
        sample_data.store(connection, "sites", payload, external_id="0042")
    (row,) = table(house, "records/fieldwork/sites/export.csv")
    assert list(row)[:7] == ["Site", "City", "Opened", "Checked (America/Chicago)", "Rent", "Floors", "Staffed"]
    assert (row["City"], row["Rent"], row["Floors"], row["Staffed"]) == ("x" * 400, "12500.5", "4", "Yes")
    assert (row["Connection"], row["Vendor"], row["Vendor's number"]) == ("North", "Fieldwork", "0042")


def test_private_bookings_stay_veiled(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "roombook")
        sample_data.booking(
            connection,
            {"Subject": SECRET},
            title=SECRET,
            organiser="Ingrid Solberg",
            organiser_email="ingrid@example.com",
            vendor_status=SECRET,
            is_private=True,
            starts_at=datetime.now(UTC) + timedelta(days=1),
        )
    (row,) = table(house, "bookings/export.csv")
    assert (row["Title"], row["Private"], row["Room, desk or person"]) == ("Private booking", "Yes", "Board room 4A")
    assert not {SECRET, "Ingrid Solberg", "ingrid@example.com"} & set(row.values())
    assert SECRET not in str(workbook(house, "bookings/export.xlsx"))
    assert house.get("records/roombook/bookings/export.csv").status_code == 404


def test_an_export_says_which_are_drafts_and_which_are_overdue(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "ledger")
        sample_data.billing(connection, number="D", status=BillingStatus.DRAFT)
        sample_data.billing(connection, number="L", due_date=date(2020, 1, 1))
    rows = {row["Number"]: row for row in table(house, "billings/export.csv?status=all")}
    assert (rows["D"]["Status"], rows["D"]["Overdue"]) == ("Draft", "No")
    assert (rows["L"]["Status"], rows["L"]["Overdue"]) == ("Billed", "Yes")
    assert [row["Number"] for row in table(house, "billings/export.csv")] == ["L"]


def test_a_workbook_that_is_full_says_so_in_its_last_row(house: House, neighbour: House, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 3)
    with house.scope:
        sample_data.work_orders(sample_data.connect(house.tenant, "fieldwork"), [{} for _ in range(5)])
    rows = workbook(house, "work-orders/export.xlsx")
    assert len(rows) == 5
    assert rows[-1] == [("inlineStr", spreadsheet.CUT)]
    assert len(table(house, "work-orders/export.csv")) == 5


def test_an_empty_list_exports_its_heads(house: House, neighbour: House):
    assert table(house, "work-orders/export.csv") == []
    ((first, *_),) = workbook(house, "work-orders/export.xlsx")
    assert first == ("inlineStr", "Number")


def test_columns_of_a_workbook_are_as_wide_as_their_texts_within_reason():
    file = io.BytesIO()
    rows = [["-" * 30, "-" * 300, "-"]]
    spreadsheet.write_workbook(file, ["a", "b", "c"], [rows], ZoneInfo("UTC"))
    with zipfile.ZipFile(file) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert [int(float(width)) for width in re.findall(r'width="([\d.]+)"', sheet)] == [32, 50, 16]


def test_odd_moments_and_texts_do_not_break_a_workbook():
    odd = [[datetime(1, 1, 1, tzinfo=UTC), date(1066, 10, 14), "x" * 40_000, "\x00\x07", None, Decimal("1E+3")]]
    file = io.BytesIO()
    spreadsheet.write_workbook(file, ["a", "b", "c", "d", "e", "f"], [odd], ZoneInfo("America/Chicago"))
    _, cells = cells_of(file.getvalue())
    assert cells[1] == ("inlineStr", "1066-10-14")
    assert cells[-1] == ("", "1000")
    assert b"1000" in b"".join(spreadsheet.csv_lines(["a"], [odd], ZoneInfo("America/Chicago")))
