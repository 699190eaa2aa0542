"""The list engine as its addresses show it, on the work orders page."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import sample_data
from tests.page_fixtures import House

PAYLOADS = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7|add:7 }}", "'; drop table x; --")


@pytest.fixture
def fieldwork(house: House, neighbour: House):
    with neighbour.scope:
        sample_data.work_order(sample_data.connect(neighbour.tenant, "fieldwork"), number="NEIGHBOUR-1")
    with house.scope:
        return sample_data.connect(house.tenant, "fieldwork", synced_at=timezone.now())


def numbers(text: str) -> list[str]:
    return re.findall(r'/work-orders/\d+/">([^<]+)</a>', text)


def test_a_value_that_does_not_exist_is_left_out_and_said_so(house: House, fieldwork):
    with house.scope:
        sample_data.work_order(fieldwork, number="A1")
    text = house.text("work-orders/?status=purple&priority=x&due_from=yesterday&sort=colour&connection=1")
    assert numbers(text) == ["A1"]
    for words in ("“purple” is not a choice for status", "“x” is not a choice", "“yesterday” is not a day", "sorted"):
        assert words in text


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=%00",
        "before=WzEsMiwzLDRd",
        "after=" + "A" * 3000,
        "after=WyJkdWVfYXQiLCJub3BlIiwxLDBd",
        "q=%00",
        "customer=%00x",
        "q=%25%5C_",
        "due_from=9999-12-31&due_to=9999-12-31",
        "due_to=0001-01-01",
        "due_from=2026-02-01&due_to=2026-01-01",
        "sort=-",
        "sort=-%00",
        "status=&priority=&q=",
        "q=" + "x" * 5000,
        "connection=00000000-0000-0000-0000-000000000000",
    ],
)
def test_no_address_ends_in_an_error(house: House, fieldwork, query):
    with house.scope:
        sample_data.work_order(fieldwork)
    assert house.get(f"work-orders/?{query}").status_code == 200


def test_a_cursor_that_is_none_gives_the_first_page_and_says_so(house: House, fieldwork):
    with house.scope:
        sample_data.work_order(fieldwork, number="A1")
    text = house.text("work-orders/?after=nonsense")
    assert numbers(text) == ["A1"]
    assert "no longer known" in text


def test_next_and_previous_lead_through_all_rows_and_say_where_one_is(house: House, fieldwork):
    due = timezone.now() + timedelta(days=1)
    with house.scope:
        sample_data.work_orders(fieldwork, [{"number": f"A{n:03}", "due_at": due} for n in range(120)])
    text, seen, words = house.text("work-orders/"), [], []
    while True:
        seen += numbers(text)
        words += re.findall(r"\d+–\d+ of [\d,]+", text)
        following = re.search(r'href="[^"?]*(\?[^"]*after=[^"]+)" rel="next"', text)
        if not following:
            break
        text = house.text("work-orders/" + following[1].replace("&amp;", "&"))
    assert seen == [f"A{n:03}" for n in range(120)]
    assert words == ["1–50 of 120", "51–100 of 120", "101–120 of 120"]
    previous = re.search(r'href="[^"?]*(\?[^"]*before=[^"]+)" rel="prev"', text)
    assert previous
    assert numbers(house.text("work-orders/" + previous[1].replace("&amp;", "&")))[0] == "A050"


def test_a_search_does_not_read_the_whole_table_to_count(house: House, fieldwork, statements):
    with house.scope:
        sample_data.work_orders(fieldwork, [{} for _ in range(60)])
    asked = statements(lambda: house.text("work-orders/?q=door"))
    assert not [one for one in asked if "COUNT(" in one]
    text = house.text("work-orders/?q=door")
    assert "1–50, more follow" in text
    following = re.search(r'href="[^"?]*(\?[^"]*after=[^"]+)" rel="next"', text)
    assert following
    assert "51–60 of 60" in house.text("work-orders/" + following[1].replace("&amp;", "&"))


def test_filters_stay_in_the_links_of_sorting_and_paging(house: House, fieldwork):
    with house.scope:
        sample_data.work_orders(fieldwork, [{"priority": "high"} for _ in range(60)])
    text = house.text("work-orders/?priority=high&q=door&sort=-due")
    (following,) = re.findall(r'href="[^"?]*(\?[^"]*)" rel="next"', text)
    assert "priority=high" in following
    assert "q=door" in following
    assert "sort=-due" in following
    assert re.search(r'href="[^"?]*\?q=door&amp;sort=-due"[^>]*title="Remove"', text)
    assert re.search(
        r'<th scope="col" class="end" aria-sort="descending"><a href="[^"?]*\?q=door&amp;priority=high">', text
    )


def test_a_swap_answers_with_the_list_alone_and_a_restored_page_with_everything(house: House, fieldwork):
    part = house.get("work-orders/", **{"HX-Request": "true"})
    whole = house.get("work-orders/", **{"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert part.content.strip().startswith(b'<div id="listing"')
    assert b"<!doctype html>" in whole.content
    assert "HX-Request" in part.headers["Vary"]


def test_the_list_asks_few_questions_however_many_rows_it_has(house: House, fieldwork, statements):
    with house.scope:
        sample_data.work_orders(fieldwork, [{} for _ in range(3)])
    few = statements(lambda: house.text("work-orders/?q=door"))
    with house.scope:
        sample_data.work_orders(fieldwork, [{"due_at": timezone.now()} for _ in range(70)])
    many = statements(lambda: house.text("work-orders/?q=door"))
    assert len(few) <= 8, few
    assert len(many) <= 8, many


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_vendors_and_people_write_is_shown_and_never_run(house: House, fieldwork, payload):
    with house.scope:
        order = sample_data.work_order(
            fieldwork,
            {payload: payload},
            **dict.fromkeys(("number", "title", "description", "customer", "location", "assignee"), payload),
            **dict.fromkeys(("vendor_status", "vendor_priority", "category"), payload),
        )
        sample_data.replaced(order.record, {payload: [payload]})
        sample_data.store(fieldwork, "notes", {"Text": payload}, parent_id=order.record.external_id)
    for path in ("work-orders/", f"work-orders/{order.pk}/", "records/fieldwork/notes/"):
        text = house.text(path)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "14" not in re.findall(r">\s*(14)\s*<", text)
    response = house.client.get(house.url("work-orders/"), {"q": payload, "customer": payload, "status": payload})
    assert "<script>alert" not in response.content.decode()
    assert "<img src=x" not in response.content.decode()


def test_an_empty_list_says_why_and_what_to_do(house: House, neighbour: House, fieldwork):
    assert "No open work orders" in house.text("work-orders/")
    assert "Clear search and filters" in house.text("work-orders/?q=nothing")
    other = House(neighbour.tenant, neighbour.owner, neighbour.client)
    assert "Connect a vendor" in other.text("billings/")


def test_pages_say_as_of_when_and_which_stream_is_late(house: House, fieldwork):
    assert "just now" in house.text("work-orders/")
    with house.scope:
        sample_data.connect(house.tenant, "fieldwork", name="Old site", synced_at=timezone.now() - timedelta(hours=3))
    text = house.text("work-orders/")
    assert "3 hours ago" in text
    assert "Old site work orders: last caught up" in text
    assert "later than promised" in text
