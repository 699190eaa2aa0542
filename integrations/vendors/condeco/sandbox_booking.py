"""One room booking of the emulator with all its fields."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from integrations.vendors.condeco.sandbox_data import SETUP_STYLES, TITLES
from integrations.vendors.condeco.sandbox_places import PEOPLE, utc_wall, wall

if TYPE_CHECKING:
    from integrations.vendors.condeco.sandbox_diary import Account


def booking_fields(account: "Account", number: int, phase: str, *, is_new: bool) -> dict[str, Any]:
    """The booking as the API shows it while it is ahead, running or over."""
    diary, version, edit = account.diary, account.diary.version[number], account.edits.get(number)
    room, _, _ = account.place_of(number)
    starts_at, ends_at = account.times_of(number)
    site = account.site(room)
    zone, dice = site.zone, diary.dice(number, "booking")
    kind = dice.random()
    is_deleted = account.is_deleted(number)
    is_by_hand = edit is not None and edit.host is not None  # nothing happens to it by chance
    is_waiting, is_pending = (low <= kind < high and not is_by_hand for low, high in ((0.03, 0.05), (0.05, 0.08)))
    has_setup, is_private, is_no_show = (dice.random() < chance for chance in (0.15, 0.08, 0.1))
    is_met = not (is_deleted or is_waiting or is_pending or is_no_show or is_by_hand)
    began = starts_at + timedelta(minutes=dice.randrange(5)) if is_met and phase != "ahead" else None
    ended = ends_at - timedelta(minutes=dice.randrange(5)) if began and phase == "over" else None
    host = account.person(dice.randrange(PEOPLE))
    booker = host if dice.random() < 0.7 else account.person(dice.randrange(PEOPLE))
    title = TITLES[diary.dice(number, "title", version // 2).randrange(len(TITLES))]
    if edit:
        title = title if edit.title is None else edit.title
        host, booker = (edit.host, edit.host) if edit.host else (host, booker)
        is_private = is_private if edit.is_private is None else edit.is_private
        began, ended = edit.began or began, edit.ended or ended
    created = min(diary.created[number], starts_at - timedelta(days=1 + dice.randrange(9)))
    if version or is_new:
        created = min(created, diary.modified[number])
    changed = max(diary.modified[number] if version else created, began or created, ended or created)
    setup = timedelta(minutes=15 if has_setup else 0)
    return {
        "bookingID": account.booking_id(number),
        "recurranceId": 7_000 + dice.randrange(400) if dice.random() < 0.2 else 0,
        "roomID": account.room_id(room),
        "locationId": account.location_id(account.site_number(room)),
        "groupId": account.group_id(room),
        "meetingTitle": title,
        "notes": "",
        "meetingType": dice.choice(("Internal", "Internal", "External")),
        "setupStyle": dice.choice(SETUP_STYLES) if has_setup else "",
        "timeFrom": wall(starts_at, zone),
        "timeTo": wall(ends_at, zone),
        "dateFrom": f"{starts_at.astimezone(zone):%Y-%m-%d}T00:00:00",
        "bookingStart": wall(starts_at, zone),
        "bookingEnd": wall(ends_at, zone),
        "locationTimeZone": site.windows_zone,
        "timeFromUTC": utc_wall(starts_at),
        "timeToUTC": utc_wall(ends_at),
        "utcWithSetupTime": utc_wall(starts_at - setup),
        "utcWithCleanDownTime": utc_wall(ends_at + setup),
        "actualTimeFrom": wall(began, zone),
        "actualTimeTo": wall(ended, zone),
        "bookingRealStartTime": wall(began, zone),
        "bookingRealEndTime": wall(ended, zone),
        "prepUnit": 1,
        "prepPeriod": 15 if has_setup else 0,
        "cleanDownUnit": 1,
        "cleanDownPeriod": 15 if has_setup else 0,
        "roomClear": False,
        "hostId": host[0],
        "hostName": host[1],
        "hostEmail": host[2],
        "requestorId": booker[0],
        "requestorName": booker[1],
        "requestorEmail": booker[2],
        "creatorName": booker[1],
        "creatorEmail": booker[2],
        "userRole": dice.randint(1, 3),
        "meetingProgress": 2 if ended else 1 if began else 0,
        "status": dice.choice((0, 0, 0, 0, 1, 4)),
        "deleted": int(is_deleted),
        "waitList": int(is_waiting),
        "pendingOnGrid": is_pending,
        "instantMeeting": False,
        "privateMeeting": is_private,
        "createdOn": wall(created, zone),
        "createdBy": booker[0],
        "lastModifiedOn": wall(changed, zone),
        "modifiedBy": booker[0],
        "bookingSource": dice.choice((1, 1, 3)),
    }
