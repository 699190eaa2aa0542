"""coreplus, practice management for allied health: start reading here."""

from datetime import timedelta
from urllib.parse import urlsplit

from integrations.contract import Access, Capability, Connector, Expiry, Limit, Settings
from integrations.errors import NotBought, NotPermitted, VendorChanged
from integrations.vendors.coreplus import assumptions, client
from integrations.vendors.coreplus.appointments import Appointments
from integrations.vendors.coreplus.client import APPOINTMENTS, CLIENTS, LOCATIONS, PRACTITIONERS, TYPES
from integrations.vendors.coreplus.diagnosis import RULES
from integrations.vendors.coreplus.failures import Resource, term_end
from integrations.vendors.coreplus.forms import CoreplusForm
from integrations.vendors.coreplus.lists import AppointmentTypes, Clients, Locations, Practitioners, has_names
from integrations.vendors.coreplus.references import Location, locations_of

OFF = "Switched off here: client names."


class Coreplus(Connector):
    """No token is asked for: each request carries one that we sign ourselves."""

    key = "coreplus"
    label = "coreplus"
    initials = "cp"
    colour = "#6d28d9"  # white on it: 7.1 to 1
    summary = "Brings appointments with their practitioners and locations; names of clients only if you want them."
    form = CoreplusForm
    # In this order appointments find their practitioners there already.
    streams = (Locations(), Practitioners(), AppointmentTypes(), Appointments(), Clients())
    # Ten a second are documented; other programs of the same Consumer Id need their share.
    limit = Limit(
        calls=assumptions.CALLS_PER_SECOND,
        per=timedelta(seconds=1),
        burst=assumptions.CALLS_PER_SECOND,
        parallel=4,  # nothing is said of calls at once: with slow answers these make use of the rate
    )
    rules = RULES

    def identity(self, settings: Settings) -> str:
        """The practice's own name where the admin gave one: the Access Token, which names it, is secret."""
        practice = str(settings.get("practice") or "").strip()
        return f"{self.budget_account(settings)}/{practice}".removesuffix("/")

    def is_same_account(self, before: Settings, after: Settings) -> bool:
        """The practice may be named later."""
        is_named = bool(str(before.get("practice") or "").strip())
        account = self.identity if is_named else self.budget_account
        return account(before) == account(after)

    def forgets(self, before: Settings, after: Settings) -> tuple[str, ...]:
        """Without client names neither the clients nor appointments that carry their words are kept."""
        is_switched_off = before.get("show_client_names") and not after.get("show_client_names")
        return (Clients.key, Appointments.key) if is_switched_off else ()

    def budget_account(self, settings: Settings) -> str:
        """Host and Consumer Id, whoever the tenant is."""
        return f"{urlsplit(str(settings['api_url'])).netloc.lower()}/{settings['consumer_id']}"

    def expiries(self, settings: Settings) -> tuple[Expiry, ...]:
        ends_on = term_end(settings)
        if ends_on is None:
            return ()
        return (
            Expiry(
                key="access_token",
                what="The Access Token of the coreplus add-on",
                ends_on=ends_on,
                cure=(
                    "In coreplus, open Setup > Add-Ons, and on the add-on's tile press the refresh icon: that adds 12 "
                    "months. Then set the new date here."
                ),
                warn_days=(60, 30, 7),
            ),
        )

    def check(self, access: Access) -> tuple[Capability, ...]:
        """One call per list, each told by itself, for permissions are given one by one."""
        places: list[Location] = []
        found = [
            _locations(access, places),
            _probe(access, Practitioners.key, PRACTITIONERS),
            _types(access),
            _appointments(access, places),
        ]
        if has_names(access):
            found.append(_probe(access, Clients.key, CLIENTS, (("pageNumber", "1"), ("pageSize", "1"))))
        else:
            found.append(Capability(stream=Clients.key, state="not_permitted", note=OFF))
        return tuple(found)


def _locations(access: Access, places: list[Location]) -> Capability:
    """Notes whose zone is not known; what was found goes into `places`."""
    try:
        places += locations_of(client.fetch_list(access, LOCATIONS), access)
    except NotPermitted as refusal:
        return _refused(Locations.key, LOCATIONS, refusal)
    unknown = [f"“{place.name}” (zone {place.zone_id})" for place in places if place.zone_id and not place.zone]
    note = f"We do not know the time zone of {', '.join(unknown)}. Name it in the settings." if unknown else ""
    return Capability(stream=Locations.key, state="available", note=note)


def _types(access: Access) -> Capability:
    try:
        client.fetch_list(access, TYPES)
    except NotPermitted as refusal:
        if refusal.code == "permission":
            return _refused(AppointmentTypes.key, TYPES, refusal)
        note = refusal.words
    except VendorChanged as change:
        note = change.words
    else:
        return Capability(stream=AppointmentTypes.key, state="available")
    return Capability(stream=AppointmentTypes.key, state="unknown", note=f"{note} Appointments have no type here.")


def _appointments(access: Access, places: list[Location]) -> Capability:
    today = client.vendor_now(access.http).date()
    zone = next((place.zone_id for place in places if place.zone_id), assumptions.MELBOURNE)
    try:
        client.fetch_appointments(access, since=today, until=today, zone=zone, page=1, size=1)
    except NotPermitted as refusal:
        return _refused(Appointments.key, APPOINTMENTS, refusal)
    return Capability(stream=Appointments.key, state="available")


def _probe(access: Access, stream: str, resource: Resource, query: client.Query = ()) -> Capability:
    try:
        client.fetch_list(access, resource, query)
    except NotPermitted as refusal:
        return _refused(stream, resource, refusal)
    return Capability(stream=stream, state="available")


def _refused(stream: str, resource: Resource, refusal: NotPermitted) -> Capability:
    if isinstance(refusal, NotBought):
        return Capability(stream=stream, state="not_bought", note=refusal.words)
    note = f"Missing: {resource.permission_name}. After ticking it, disable and enable the add-on."
    return Capability(stream=stream, state="not_permitted", note=note)


connector = Coreplus()
