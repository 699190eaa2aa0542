import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.records.models import Booking, Record
from integrations.records.queries import bookings
from integrations.values import BookingKind, BookingStatus
from portal.pages.templatetags.business import site_span, span
from tests import sample_data
from tests.page_fixtures import House

SECRET = "Sale of the company"


def at(text: str) -> datetime:
    """An instant from its UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def rooms(house: House, neighbour: House, time_machine):
    """A Tuesday noon in Chicago; the connection of our tenant."""
    time_machine.move_to("2026-11-24T18:00:00Z", tick=False)
    house.client.force_login(house.owner)
    neighbour.client.force_login(neighbour.owner)
    with neighbour.scope:
        theirs = sample_data.connect(neighbour.tenant, "roombook")
        sample_data.booking(theirs, resource="Their room", starts_at=at("2026-11-24T15:00"))
    with house.scope:
        return sample_data.connect(house.tenant, "roombook")


def blocks(text: str) -> list[str]:
    return [
        re.sub(r"\s+", " ", re.sub("<[^>]+>", "", one)).strip()
        for one in re.findall(r'<a class="ev.*?</a>', text, re.S)
    ]


def test_the_week_shows_bookings_at_their_hour_in_the_readers_zone(house: House, rooms):
    with house.scope:
        sample_data.booking(
            rooms, resource="Studio 1", starts_at=at("2026-11-24T15:15"), ends_at=at("2026-11-24T16:00"), zone="UTC"
        )
    text = house.text("bookings/")
    assert "your time (Chicago)" in text
    assert "23 Nov – 27 Nov 2026" in text
    assert "at-37 for-3" in text  # 09:15 for 45 minutes
    assert blocks(text) == ["09:15–10:00 Room Studio 1 Vendor call 15:15–16:00 in UTC"]
    assert "Their room" not in text


def test_the_week_can_be_left_in_both_directions_and_keeps_the_filters(house: House, rooms):
    with house.scope:
        sample_data.booking(rooms, resource="Far room", starts_at=at("2026-12-01T15:00"))
    text = house.text("bookings/?kind=room")
    (following,) = re.findall(r'href="[^"?]*(\?[^"]+)" rel="next"', text)
    assert following in {"?kind=room&amp;week=2026-11-30", "?week=2026-11-30&amp;kind=room"}
    assert "Far room" in house.text("bookings/" + following.replace("&amp;", "&"))
    assert "Far room" not in text
    assert "week=2026-11-16" in text


@pytest.mark.parametrize("week", ["x", "0001-01-01", "9999-12-31", "2026-13-01"])
def test_a_week_that_is_none_is_this_week(house: House, rooms, week):
    text = house.text(f"bookings/?week={week}")
    assert "23 Nov – 27 Nov 2026" in text
    assert "not a week we know" in text


def test_a_weekend_shows_when_something_is_booked(house: House, rooms):
    assert "Sat 28" not in house.text("bookings/")
    with house.scope:
        sample_data.booking(rooms, starts_at=at("2026-11-28T15:00"), ends_at=at("2026-11-28T16:00"))
    assert "Sat 28" in house.text("bookings/")


def test_desks_of_one_place_are_one_block_that_leads_to_the_days_list(house: House, rooms):
    start, end = at("2026-11-24T14:00"), at("2026-11-24T16:00")
    with house.scope:
        rows = [{"resource": f"Desk {n}", "location": "Level 2", "kind": BookingKind.DESK} for n in range(9)]
        sample_data.bookings(rooms, [row | {"starts_at": start, "ends_at": end} for row in rows])
    text = house.text("bookings/")
    assert blocks(text) == ["Desks, Level 2 9 booked, 08:00–10:00"]
    (url,) = set(re.findall(r'href="[^"?]*(\?[^"]*location=Level[^"]*)"', text))
    listed = house.text("bookings/" + url.replace("&amp;", "&"))
    assert len(re.findall(r">Desk \d<", listed)) == 9


def test_what_does_not_fit_side_by_side_becomes_more(house: House, rooms):
    start, end = at("2026-11-24T14:00"), at("2026-11-24T15:00")
    with house.scope:
        rows = [
            {"resource": f"Room {n}", "location": f"Level {n}", "starts_at": start, "ends_at": end} for n in range(9)
        ]
        sample_data.bookings(rooms, rows)
    found = blocks(house.text("bookings/"))
    assert len(found) == 3
    assert found[-1] == "+7 more"


def test_a_week_with_too_many_is_drawn_from_counts(house: House, rooms, monkeypatch, statements):
    monkeypatch.setattr("portal.pages.business.bookings._MOST_DRAWN", 10)
    with house.scope:
        for day, number in (("2026-11-24", 8), ("2026-11-25", 5)):
            row = {"location": "Level 2", "starts_at": at(f"{day}T15:00"), "ends_at": at(f"{day}T16:00")}
            sample_data.bookings(rooms, [row | {"resource": f"Room {n}"} for n in range(number)])
    asked = statements(lambda: house.text("bookings/"))
    assert blocks(house.text("bookings/")) == [
        "Rooms, Level 2 8 booked, 09:00–10:00",
        "Rooms, Level 2 5 booked, 09:00–10:00",
    ]
    assert len(asked) <= 8, asked


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=desk", {"Desk 5"}),
        ("kind=appointment", {"Dr. Shah"}),
        ("location=Level 3", {"Desk 5"}),
        ("resource=Dr. Shah", {"Dr. Shah"}),
        ("", {"Desk 5", "Dr. Shah", "Studio 1"}),
    ],
)
@pytest.mark.parametrize("view", ["week", "list"])
def test_each_filter_narrows_week_and_list(house: House, rooms, query, expected, view):
    with house.scope:
        for name, kind, place in (
            ("Desk 5", BookingKind.DESK, "Level 3"),
            ("Dr. Shah", BookingKind.APPOINTMENT, "Level 2"),
            ("Studio 1", BookingKind.ROOM, "Level 2"),
        ):
            start = at("2026-11-24T19:00")
            sample_data.booking(
                rooms, kind=kind, resource=name, location=place, starts_at=start, ends_at=start + timedelta(hours=1)
            )
    shown = house.text(f"bookings/?view={view}&{query}".replace(" ", "%20"))
    body = re.sub(r"<datalist.*?</datalist>|<input[^>]*>|<summary.*?</summary>|chip-off.*?</a>", "", shown, flags=re.S)
    assert {name for name in ("Desk 5", "Dr. Shah", "Studio 1") if name in body} == expected
    assert "Their room" not in shown


def test_the_list_begins_today_and_can_go_back(house: House, rooms):
    with house.scope:
        for name, day in (("Past", "2026-11-20"), ("Today", "2026-11-24"), ("Later", "2026-12-24")):
            sample_data.booking(rooms, title=name, starts_at=at(f"{day}T15:00"))

    def listed(query: str) -> list[str]:
        return re.findall(r'data-label="Booking">([^<]+)<', house.text(f"bookings/?view=list{query}"))

    assert listed("") == ["Today", "Later"]
    assert listed("&day_from=all") == ["Past", "Today", "Later"]
    assert listed("&day_from=all&sort=-start") == ["Later", "Today", "Past"]
    assert listed("&day_from=2026-11-20&day_to=2026-11-20") == ["Past"]
    assert listed("&q=later") == ["Later"]
    assert listed("&status=cancelled&day_from=all") == []


@pytest.fixture
def private(house: House, rooms) -> Booking:
    with house.scope:
        one = sample_data.booking(
            rooms,
            {"Subject": SECRET, "Organiser": "Ingrid Solberg"},
            title=SECRET,
            organiser="Ingrid Solberg",
            organiser_email="ingrid@example.com",
            vendor_status=f"Booked for {SECRET}",
            is_private=True,
            starts_at=at("2026-11-24T19:00"),
            ends_at=at("2026-11-24T20:00"),
        )
        sample_data.replaced(one.record, {"Subject": f"Earlier: {SECRET}"})
    return one


def test_a_private_booking_shows_time_and_place_and_nothing_else(house: House, private):
    pages = ("bookings/", "bookings/?view=list", f"bookings/{private.pk}/", "", "records/")
    for page in pages:
        text = house.text(page)
        assert SECRET not in text, page
        assert "Ingrid" not in text.replace("ingrid@example.com", ""), page
        assert "ingrid@example.com" not in text, page
    assert "Private booking" in house.text("bookings/?view=list")
    assert "Board room 4A" in house.text(f"bookings/{private.pk}/")
    assert house.get(f"records/{private.pk}/").status_code == 302


def test_a_room_does_not_tell_what_its_private_bookings_are(house: House, rooms, private):
    with house.scope:
        room = sample_data.store(rooms, "rooms", {"name": "Board room 4A"}, external_id="room-1")
        Record.objects.filter(pk=private.pk).update(parent_id="room-1", title=SECRET)
    text = house.text(f"records/{room.pk}/")
    assert "Private booking" in text
    assert SECRET not in text
    assert "Board room 4A" in house.text(f"bookings/{private.pk}/")


def test_a_search_does_not_find_private_words(house: House, private):
    for words in ("sale", "ingrid"):
        assert "Nothing matches" in house.text(f"bookings/?view=list&q={words}")
    assert "Private booking" in house.text("bookings/?view=list&q=BOARD+room")


def test_private_words_stay_hidden_when_the_vendors_folder_is_gone(house: House, private, monkeypatch):
    monkeypatch.setattr("portal.pages.freshness.connectors", dict)
    monkeypatch.setattr("portal.pages.business.common.connectors", dict)
    with house.scope:
        stored = Record.objects.get(pk=private.pk)
    assert stored.payload
    for page in (f"records/{private.pk}/", f"bookings/{private.pk}/"):
        assert SECRET not in house.client.get(house.url(page), follow=True).content.decode()


def test_the_detail_names_both_clocks(house: House, rooms):
    with house.scope:
        one = sample_data.booking(
            rooms, zone="Australia/Sydney", starts_at=at("2026-11-24T22:00"), ends_at=at("2026-11-24T23:00")
        )
    text = house.text(f"bookings/{one.pk}/")
    assert "Your time (Chicago)" in text
    assert "16:00–17:00" in text
    assert "Wed 25 Nov 09:00–10:00 in Sydney" in text


def test_a_booking_of_the_neighbour_does_not_exist(house: House, neighbour: House, rooms):
    with neighbour.scope:
        (theirs,) = bookings(neighbour.tenant.pk)
    assert house.get(f"bookings/{theirs.pk}/").status_code == 404
    assert neighbour.get(f"bookings/{theirs.pk}/").status_code == 200


def test_cancelled_bookings_are_in_the_list_but_not_in_the_week(house: House, rooms):
    with house.scope:
        sample_data.booking(rooms, title="Called off", status=BookingStatus.CANCELLED, starts_at=at("2026-11-24T19:00"))
    assert "Called off" not in house.text("bookings/")
    assert "Called off" in house.text("bookings/?view=list")


@pytest.mark.parametrize("page", ["bookings/", "bookings/?view=list"])
def test_bookings_ask_few_questions(house: House, rooms, statements, page):
    with house.scope:
        rows = [{"starts_at": at("2026-11-24T19:00") + timedelta(minutes=n)} for n in range(70)]
        sample_data.bookings(rooms, rows)
    asked = statements(lambda: house.text(page))
    assert len(asked) <= 8, asked


def test_a_desk_booked_until_further_notice_is_in_every_week_from_its_first_day_on(house: House, rooms):
    with house.scope:
        facts = {"kind": BookingKind.DESK, "resource": "Desk 7", "location": "Level 2", "ends_at": None}
        sample_data.booking(rooms, starts_at=at("2026-03-04T14:00"), **facts)
    assert blocks(house.text("bookings/")) == ["until further notice Desk Desk 7 Vendor call"] * 5
    assert "Desk 7" not in house.text("bookings/?week=2026-02-23")
    assert len(blocks(house.text("bookings/?week=2026-03-02"))) == 3
    assert "08:00, until further notice" in house.text("bookings/?view=list&day_from=all")


@pytest.mark.parametrize("facts", [{"kind": BookingKind.ROOM}, {"status": BookingStatus.COMPLETED}])
def test_only_a_desk_that_is_still_booked_goes_on_without_an_end(house: House, rooms, facts):
    with house.scope:
        sample_data.booking(
            rooms, starts_at=at("2026-03-04T14:00"), **{"kind": BookingKind.DESK, "ends_at": None, **facts}
        )
    assert blocks(house.text("bookings/")) == []
    assert "until further notice" not in house.text("bookings/")


@pytest.mark.parametrize(
    ("kind", "word", "label"),
    [
        (BookingKind.ROOM, "Room", "Room"),
        (BookingKind.DESK, "Desk", "Desk"),
        (BookingKind.APPOINTMENT, "Appointment", "With"),
    ],
)
def test_each_kind_of_booking_is_told_by_a_word_and_a_mark(house: House, rooms, kind, word, label):
    with house.scope:
        one = sample_data.booking(
            rooms, kind=kind, resource="Dr. Shah", starts_at=at("2026-11-24T19:00"), ends_at=at("2026-11-24T20:00")
        )
    assert f"13:00–14:00 {word} Dr. Shah" in blocks(house.text("bookings/"))[0]
    listed = house.text("bookings/?view=list")
    assert re.search(rf"<svg.*?</svg> {word}</span>", listed, re.S)
    assert f'data-label="{label}"' in listed
    assert f"<dt>{label}</dt><dd>Dr. Shah</dd>" in house.text(f"bookings/{one.pk}/")


@pytest.mark.parametrize(
    ("reader", "site", "start", "end", "shown"),
    [
        # The night the clocks go forward and the night they go back at the site.
        ("UTC", "Europe/London", "2026-03-29T00:30", "2026-03-29T01:30", "00:30 GMT–02:30 BST in London"),
        ("UTC", "Europe/London", "2026-10-25T00:30", "2026-10-25T01:30", "01:30 BST–01:30 GMT in London"),
        ("UTC", "America/Chicago", "2026-03-08T07:30", "2026-03-08T08:30", "01:30 CST–03:30 CDT in Chicago"),
        ("UTC", "America/Chicago", "2026-11-01T06:30", "2026-11-01T07:30", "01:30 CDT–01:30 CST in Chicago"),
        ("UTC", "Australia/Melbourne", "2026-10-03T15:30", "2026-10-03T16:30", "01:30 AEST–03:30 AEDT in Melbourne"),
        ("UTC", "Australia/Melbourne", "2026-04-04T15:30", "2026-04-04T16:30", "02:30 AEDT–02:30 AEST in Melbourne"),
        # Somebody else's night: the site's clock stays, the reader's moves away from it.
        ("Europe/London", "UTC", "2026-03-29T00:30", "2026-03-29T01:30", "00:30–01:30 in UTC"),
        ("America/Chicago", "Australia/Melbourne", "2026-11-01T06:30", "2026-11-01T07:30", "17:30–18:30 in Melbourne"),
        ("Australia/Melbourne", "Europe/London", "2026-04-04T15:30", "2026-04-04T16:30", "16:30–17:30 in London"),
        # The same clock on both sides says nothing twice.
        ("Europe/London", "Europe/Lisbon", "2026-10-25T00:30", "2026-10-25T01:30", ""),
    ],
)
def test_the_sites_clock_stands_beside_the_readers_on_the_nights_they_change(reader, site, start, end, shown):
    with timezone.override(reader):
        words = site_span(Booking(zone=site, starts_at=at(start), ends_at=at(end)))
    assert words == shown or (shown and words.endswith(f" {shown}"))


@pytest.mark.parametrize(
    ("zone", "start", "end", "shown"),
    [
        ("Europe/London", "2026-03-29T00:30", "2026-03-29T01:30", "00:30 GMT–02:30 BST"),
        ("Europe/London", "2026-10-25T00:30", "2026-10-25T01:30", "01:30 BST–01:30 GMT"),
        ("America/Chicago", "2026-03-08T07:30", "2026-03-08T08:30", "01:30 CST–03:30 CDT"),
        ("America/Chicago", "2026-11-01T06:30", "2026-11-01T07:30", "01:30 CDT–01:30 CST"),
        ("Australia/Melbourne", "2026-10-03T15:30", "2026-10-03T16:30", "01:30 AEST–03:30 AEDT"),
        ("Australia/Melbourne", "2026-04-04T15:30", "2026-04-04T16:30", "02:30 AEDT–02:30 AEST"),
    ],
)
def test_the_readers_own_clock_names_both_halves_of_such_a_night(zone, start, end, shown):
    with timezone.override(zone):
        assert f">{shown}</time>" in span(Booking(kind=BookingKind.ROOM, starts_at=at(start), ends_at=at(end)))
