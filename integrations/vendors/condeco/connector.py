"""Condeco (Eptura Engage). Start reading here."""

from datetime import date, timedelta
from urllib.parse import urlsplit

from integrations.contract import Access, Capability, Connector, Door, Expiry, Limit, Settings, Tokens
from integrations.vendors.condeco import assumptions, client, diagnosis
from integrations.vendors.condeco.bookings import RoomBookings
from integrations.vendors.condeco.desk_bookings import DeskBookings
from integrations.vendors.condeco.forms import CondecoForm
from integrations.vendors.condeco.live_test import check
from integrations.vendors.condeco.structure import Countries, Desks, Groups, Locations, Regions, Rooms
from integrations.vendors.condeco.visitors import Visitors


class Condeco(Connector):
    key = "condeco"
    label = "Condeco"
    initials = "Cd"
    colour = "#b45309"  # white on it: 5.0 to 1
    summary = "Brings meeting rooms and desks, where they are, who has booked them when, and visitors."
    form = CondecoForm
    streams = (
        Countries(),
        Regions(),
        Locations(),
        Groups(),
        Rooms(),
        Desks(),
        RoomBookings(),
        DeskBookings(),
        Visitors(),
    )
    rules = diagnosis.RULES
    # The vendor allows 500 a minute and 50,000 a week. The burst lets a small first copy go through at once; the week
    # is what limits a busy customer, see README.
    limit = Limit(calls=120, per=timedelta(minutes=1), burst=120, parallel=4)
    allowance = Limit(
        calls=assumptions.RECONCILE_CALLS_A_WEEK,
        per=timedelta(weeks=1),
        burst=assumptions.CALLS_AT_ONCE_OF_THE_WEEK,
        parallel=4,
    )
    renew_before = timedelta(hours=1)  # a session token lives 12 hours and is renewed after 11

    def identity(self, settings: Settings) -> str:
        """Customer host and client subscription name: together they name one customer's Condeco."""
        name = str(settings["subscription_name"])
        if not assumptions.IS_SUBSCRIPTION_NAME_CASE_SENSITIVE:
            name = name.casefold()
        return f"{urlsplit(settings['customer_url']).netloc.lower()}/{name}"

    def expiries(self, settings: Settings) -> tuple[Expiry, ...]:
        try:
            ends_on = date.fromisoformat(str(settings.get("subscription_ends_on") or ""))
        except ValueError:
            return ()
        cure = (
            "Ask your Condeco representative to prolong the Platinum subscription with its API service, then enter the"
            " new end in the settings."
        )
        return (Expiry(key="subscription", what="Condeco's API subscription", ends_on=ends_on, cure=cure),)

    def request_token(self, door: Door) -> Tokens:
        return client.request_token(door, self.token_timeout)

    def check(self, access: Access) -> tuple[Capability, ...]:
        return check(access)


connector = Condeco()
