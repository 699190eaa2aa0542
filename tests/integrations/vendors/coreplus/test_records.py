"""coreplus's shapes in, our values out, and nothing of clients that nobody asked for."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import RecordRejected
from integrations.values import BookingKind, BookingStatus
from integrations.vendors.coreplus import records

# As on the vendor's page "Get a list of appointments", with practitioner profiles.
APPOINTMENT: dict[str, Any] = {
    "appointmentId": "9D0A7E0B-0000-4000-8000-000000000001",
    "appointmentReferenceNumber": "4846396",
    "status": "Attended",
    "practitioner": {"practitionerId": "p-1", "firstName": "Ana", "lastName": "Ng"},
    "subject": "Mara Whitcombe 02/07/1972, phone 0400 000 001",
    "locationId": "l-1",
    "appointmentTypeId": "t-1",
    "startDateTime": "2021-09-07T09:00:00 +10:00",
    "endDateTime": "2021-09-07T09:30:00 +10:00",
    "clients": [{"clientId": "c-1", "firstName": "Mara", "dateOfBirth": "1972-07-02T00:00:00"}],
    "notes": "Knee operation in May",
    "notifyPractitioner": False,
    "cancellationReasonId": "r-1",
    "cancellationNotes": "Mara is in hospital",
    "medicareCardNumber": "2953 12345 1",
    "referral": {"text": "diabetes"},
}
CONTEXT = {"type": "Standard consultation", "location": "Main rooms", "zone": "Australia/Melbourne"}
PRIVATE = ("Mara", "Whitcombe", "1972", "0400", "Knee", "hospital", "2953", "diabetes")


def booking(context: dict[str, str] | None = None, **changes: Any) -> Any:
    plain = {key: value for key, value in APPOINTMENT.items() if not key.startswith("cancellation")}
    payload = json.dumps({**plain, **changes}).encode()
    return records.appointment(payload, CONTEXT if context is None else context)


def test_an_appointment_becomes_a_booking() -> None:
    read = booking()

    assert read.kind == BookingKind.APPOINTMENT
    assert (read.title, read.location, read.zone) == ("Standard consultation", "Main rooms", "Australia/Melbourne")
    assert (read.resource, read.organiser) == ("Ana Ng", "Ana Ng")
    assert read.starts_at == datetime(2021, 9, 6, 23, tzinfo=UTC)
    assert read.ends_at == datetime(2021, 9, 6, 23, 30, tzinfo=UTC)
    assert (read.status, read.vendor_status) == (BookingStatus.COMPLETED, "Attended")


def test_without_a_type_it_is_titled_appointment_and_never_by_its_subject() -> None:
    assert booking(context={}).title == "Appointment"


def test_a_practitioner_without_a_profile_is_named_by_the_list() -> None:
    assert booking(context={"practitioner": "Ben Lee"}, practitioner={"practitionerId": "p-1"}).resource == "Ben Lee"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Attended", BookingStatus.COMPLETED),
        ("Booked", BookingStatus.CONFIRMED),
        ("Confirmed", BookingStatus.CONFIRMED),
        ("Arrived", BookingStatus.CONFIRMED),
        ("", BookingStatus.CONFIRMED),
        (None, BookingStatus.CONFIRMED),
        ("Cancelled", BookingStatus.CANCELLED),
        ("Did Not Attend", BookingStatus.NO_SHOW),
        ("Zweites Quartal", BookingStatus.UNKNOWN),
    ],
)
def test_the_status_is_told_in_our_words_beside_coreplus_own(word: str | None, status: BookingStatus) -> None:
    read = booking(status=word)

    assert (read.status, read.vendor_status) == (status, word or "")


def test_a_cancellation_reason_means_cancelled_whatever_the_status() -> None:
    assert booking(cancellationReasonId="r-1").status == BookingStatus.CANCELLED


@pytest.mark.parametrize(
    "changes",
    [
        {"startDateTime": None},
        {"startDateTime": "tomorrow"},
        {"startDateTime": "2021-09-07T09:00:00"},
        {"startDateTime": "0001-01-01T00:00:00 +14:00"},
        {"endDateTime": "2021-09-07T08:59:00 +10:00"},
        {"endDateTime": {"at": 9}},
    ],
)
def test_an_appointment_without_sensible_times_is_set_aside(changes: dict[str, Any]) -> None:
    with pytest.raises(RecordRejected):
        booking(**changes)


def test_the_reason_for_setting_aside_repeats_no_text() -> None:
    with pytest.raises(RecordRejected) as refusal:
        booking(startDateTime="Mara Whitcombe")

    assert "Mara" not in refusal.value.words


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-09-07T09:00:00 +10:00", datetime(2021, 9, 6, 23, tzinfo=UTC)),
        ("2021-09-07T09:00:00+10:00", datetime(2021, 9, 6, 23, tzinfo=UTC)),
        ("2021-09-07T09:00:00.1234567 +10:00", datetime(2021, 9, 6, 23, 0, 0, 123456, tzinfo=UTC)),
        ("2021-09-07T09:00:00Z", datetime(2021, 9, 7, 9, tzinfo=UTC)),
        ("2021-09-07 09:00:00 -03:30", datetime(2021, 9, 7, 12, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_or_without_the_blank_before_its_offset(text: str, moment: datetime) -> None:
    assert records.parse_moment(text) == moment


@pytest.mark.parametrize(
    ("zone", "night", "hours"),
    [
        ("Australia/Melbourne", (2026, 4, 5), 25),
        ("Australia/Melbourne", (2026, 10, 4), 23),
        ("America/Chicago", (2026, 3, 8), 23),
        ("America/Chicago", (2026, 11, 1), 25),
        ("Europe/London", (2026, 3, 29), 23),
        ("Europe/London", (2026, 10, 25), 25),
    ],
)
def test_a_night_in_which_clocks_change_has_its_true_length(zone: str, night: tuple[int, int, int], hours: int) -> None:
    begin = datetime(*night, tzinfo=ZoneInfo(zone))
    end = begin.replace(day=begin.day + 1)
    read = booking(startDateTime=_written(begin), endDateTime=_written(end))

    assert read.ends_at is not None
    assert (read.ends_at - read.starts_at).total_seconds() == hours * 3600
    assert (read.starts_at.astimezone(ZoneInfo(zone)).hour, read.ends_at.astimezone(ZoneInfo(zone)).hour) == (0, 0)


def _written(moment: datetime) -> str:
    text = moment.isoformat(timespec="seconds")
    return f"{text[:19]} {text[19:]}"


@given(st.integers(631_152_000, 4_102_444_800), st.sampled_from(["Australia/Adelaide", "Etc/GMT-14"]))
def test_spelling_a_row_in_a_zone_changes_no_moment(seconds: int, zone: str) -> None:
    row = {"startDateTime": _written(datetime.fromtimestamp(seconds, UTC)), "endDateTime": "unreadable"}
    spelled = records.spelled_in(row, zone)

    assert records.moment_or_none(spelled, "startDateTime") == records.moment_or_none(row, "startDateTime")
    assert spelled["endDateTime"] == "unreadable"


def test_without_names_nothing_personal_is_kept_of_an_appointment() -> None:
    kept = records.reduced_appointment(APPOINTMENT, has_names=False)

    assert not [word for word in PRIVATE if word.encode() in kept]
    assert json.loads(kept)["clients"] == [{"clientId": "c-1"}]
    assert json.loads(kept)["cancellationReasonId"] == "r-1"
    assert records.appointment(kept, CONTEXT).starts_at == datetime(2021, 9, 6, 23, tzinfo=UTC)


def test_with_names_the_free_text_is_kept_and_still_nothing_else() -> None:
    kept = json.loads(records.reduced_appointment(APPOINTMENT, has_names=True))

    assert (kept["subject"], kept["notes"]) == (APPOINTMENT["subject"], APPOINTMENT["notes"])
    assert kept["clients"] == [{"clientId": "c-1"}]
    assert not {"medicareCardNumber", "referral"} & kept.keys()


@pytest.mark.parametrize("value", [{"hidden": "Mara"}, ["Mara"], [{"name": "Mara"}]])
@pytest.mark.parametrize("name", ["status", "locationId", "startDateTime", "practitioner", "clients"])
def test_nothing_hides_in_a_field_of_another_shape(name: str, value: Any) -> None:
    kept = records.reduced_appointment({**APPOINTMENT, name: value}, has_names=False)

    assert b"Mara" not in kept


def test_of_a_client_only_names_are_kept() -> None:
    kept = records.reduced_client(
        {
            "clientId": "c-1",
            "title": "Mrs",
            "firstName": "A",
            "middleName": "B",
            "lastName": "C",
            "preferredName": "D",
            "dateOfBirth": "1972-07-02T00:00:00",
            "gender": "Female",
            "culture": "text",
            "pronouns": "e",
            "practitionerId": "p-1",
        }
    )

    assert json.loads(kept).keys() == {"clientId", "title", "firstName", "lastName", "preferredName", "practitionerId"}
