"""Condeco (Eptura Engage). Start reading here."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from integrations.contract import Access, Capability, Connector, Door, Limit, Settings, Tokens
from integrations.errors import NotPermitted
from integrations.vendors.condeco import assumptions, client
from integrations.vendors.condeco.forms import CondecoForm
from integrations.vendors.condeco.streams import (
    Locations,
    RoomBookings,
    Rooms,
    first_room,
    read_bookings,
)


class Condeco(Connector):
    key = "condeco"
    label = "Condeco"
    initials = "Cd"
    colour = "#b45309"  # white on it: 5.0 to 1
    summary = "Brings meeting rooms, where they are, and who has booked them when."
    form = CondecoForm
    streams = (Locations(), Rooms(), RoomBookings())
    # The vendor allows 500 a minute and 50,000 a week. The burst lets the first copy of 60 rooms begin at once; the
    # week is what limits a busy customer, see README.
    limit = Limit(calls=120, per=timedelta(minutes=1), burst=60, parallel=4)
    renew_before = timedelta(hours=1)  # a session token lives 12 hours and is renewed after 11

    def identity(self, settings: Settings) -> str:
        """Customer host and client subscription name: together they name one customer's Condeco."""
        name = str(settings["subscription_name"])
        if not assumptions.IS_SUBSCRIPTION_NAME_CASE_SENSITIVE:
            name = name.casefold()
        return f"{urlsplit(settings['customer_url']).netloc.lower()}/{name}"

    def request_token(self, door: Door) -> Tokens:
        return client.request_token(door, self.token_timeout)

    def check(self, access: Access) -> tuple[Capability, ...]:
        """Down to the first room and its bookings of today: five calls where every branch is filled.

        A key that is not accepted is told for its streams; every other failure is raised.
        """
        try:
            room_id = first_room(access)
        except NotPermitted as refusal:
            return tuple(_refused(stream.key, refusal) for stream in self.streams)
        structure = tuple(Capability(stream=key, state="available") for key in ("locations", "rooms"))
        return (*structure, _bookings_capability(access, room_id))


def _bookings_capability(access: Access, room_id: str) -> Capability:
    if not room_id:
        note = "Condeco showed us no meeting room to ask about."
        return Capability(stream=RoomBookings.key, state="unknown", note=note)
    today = datetime.now(UTC).date()
    try:
        read_bookings(access, room_id, today, today)
    except NotPermitted as refusal:
        return _refused(RoomBookings.key, refusal)
    return Capability(stream=RoomBookings.key, state="available")


def _refused(stream: str, refusal: NotPermitted) -> Capability:
    return Capability(stream=stream, state="not_permitted", note=refusal.words)


connector = Condeco()
