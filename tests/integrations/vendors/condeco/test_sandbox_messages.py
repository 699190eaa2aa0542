"""The notifications of the six services, in the vendor's own spelling ("Notification messages overview")."""

import json
from datetime import date

import pytest

from integrations.sandbox.notices import Notice
from integrations.vendors.condeco import sandbox_messages as messages
from integrations.vendors.condeco.sandbox_messages import Item, Source, Step, Visiting, body_of

DAY = date(2019, 8, 28)
MEETING = messages.meeting_external(99, 96, DAY, is_deleted=False)
EXTENDED = messages.meeting_progression(101, 96, Step.EXTEND, Source.WEB, "2019-08-28T10:30:00")


def plain(text: str) -> str:
    return json.dumps(json.loads(text), separators=(",", ":"))


@pytest.mark.parametrize(
    ("item", "body"),
    [
        (
            MEETING,
            '{"2019-08-28T00:00:00": {"ChangedItems": [{"Action": 1, "BookingID": 99, "ResourceItemID": 96}]}}',
        ),
        (
            messages.meeting_progression(101, 96, Step.START, Source.OTHER),
            '[{"BookingId": 101, "ResourceItemId": 96, "UpdatedTime": "0001-01-01T00:00:00",'
            ' "MeetingProgressionAction": 0, "ActionSource": 1}]',
        ),
        (
            messages.desk(102, 101, DAY, is_deleted=False, is_open=False),
            '[{"Date": "2019-08-28T00:00:00", "BookingID": 102, "ResourceItemID": 101, "Action": 1,'
            ' "UntilFurtherNotice": false}]',
        ),
        (
            messages.desk_progression(102, 101, Step.START, Source.WEB),
            '[{"BookingId": 102, "ResourceItemId": 101, "UpdateTime": "0001-01-01T00:00:00",'
            ' "DeskProgressionAction": 0, "ActionSource": 0}]',
        ),
        (messages.room_changed(96), '[{"ResourceItemID": 96, "ResourceType": 1, "Action": 1}]'),
        (messages.desk_changed(96, is_deleted=True), '[{"ResourceItemID": 96, "ResourceType": 2, "Action": 0}]'),
        (
            messages.visitor(7, 3, Visiting.ARRIVED, "2019-08-28T09:02:00"),
            '[{"VisitorID": 7, "BookingID": 0, "LocationID": 3, "VisitorAction": 3,'
            ' "UpdatedTime": "2019-08-28T09:02:00"}]',
        ),
    ],
    ids=lambda value: value.service.name if isinstance(value, Item) else "",
)
def test_a_service_tells_one_thing_in_these_words(item, body):
    assert body_of([item]).decode() == plain(body)


def test_meetings_of_one_day_stand_under_that_day():
    gone = messages.meeting_external(98, 97, DAY, is_deleted=True)
    later = messages.meeting_external(97, 96, date(2019, 8, 29), is_deleted=False)

    days = json.loads(body_of([MEETING, later, gone]))

    assert {day: [one["BookingID"] for one in inner["ChangedItems"]] for day, inner in days.items()} == {
        "2019-08-28T00:00:00": [99, 98],
        "2019-08-29T00:00:00": [97],
    }


def test_other_services_tell_several_things_in_one_array():
    assert [one["UpdatedTime"] for one in json.loads(body_of([EXTENDED, EXTENDED]))] == ["2019-08-28T10:30:00"] * 2


def notice(item: Item, url: str = "https://portal.example/hooks/condeco/secret/") -> Notice:
    return Notice(account=0, event=item.service.name, url=url, body=body_of([item]))


def test_the_names_can_be_spelled_otherwise():
    told = json.loads(messages.respelled(notice(EXTENDED)).body)

    assert [*told[0]] == ["bookingID", "resourceItemID", "updateTime", "meetingProgressionAction", "actionSource"]
    assert "2019-08-28T00:00:00" in json.loads(messages.respelled(notice(MEETING)).body)


def test_times_can_be_in_the_year_one_and_the_days_of_meetings_stay():
    assert json.loads(messages.in_year_one(notice(EXTENDED)).body)[0]["UpdatedTime"] == "0001-01-01T00:00:00"
    assert messages.in_year_one(notice(MEETING)).body == notice(MEETING).body


@pytest.mark.parametrize("end", ["", "/"])
def test_the_last_part_of_an_address_can_be_wrong(end):
    url = messages.misaddressed(notice(MEETING, f"https://portal.example/hooks/secret{end}")).url

    assert url == f"https://portal.example/hooks/xxxxxx{end}"
