"""What is read from Corecon, page by page. The vendor offers no "changed since" and no sign of a deletion.

Companies and projects are read in full; the engine's hash decides what changed. Labor timecards are read by entry
date, a window of about a month after the other, and from then on the last five weeks again and again.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec

from integrations.contract import Access, Column, Page, Record, Rejected, Settings, Stream
from integrations.errors import RecordRejected, VendorChanged
from integrations.vendors.corecon.assumptions import AHEAD, FIRST_MONTHS, OVERLAP, PAGE_SIZES, WINDOW
from integrations.vendors.corecon.client import Client, Listing
from integrations.vendors.corecon.records import company_id, project_id, timecard_id
from integrations.zones import windows_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_PAGES = 20_000  # of one list or window: two million rows


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a reading stands; as JSON it is the cursor.

    `path` is where the resource is listed, asked once a run. `seen` is the digest of the page before, to notice one
    that repeats. The rest is for windows: `run_date` is the day the run began, `since` the first day of the window,
    `before` the number of rows of the windows behind it, `twins` the equal rows without an id in this window. `done`
    alone is a run that ended, begun on that day.
    """

    page: int = 1
    size: int = PAGE_SIZES[0]
    path: str = ""
    seen: str = ""
    run_date: date | None = None
    since: date | None = None
    before: int = 0
    twins: dict[str, int] = {}
    done: date | None = None


class CoreconStream(Stream):
    """Pages of one resource, from a place on."""

    feature: ClassVar[str]  # as the vendor's list of allowed features says it
    resource: ClassVar[str]

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        client = Client(access)
        place = self.start(_place(cursor), access.settings)
        if not place.path:
            place = msgspec.structs.replace(place, path=client.path_of(self.resource))
        while True:
            listing = client.rows(
                place.path,
                page=place.page,
                size=place.size,
                feature=self.feature,
                body=self.body(place, access.settings),
            )
            if listing.is_partial:
                place = _smaller(place)
                continue
            seen = _digest(listing)
            if listing.rows and seen == place.seen:
                raise VendorChanged("Corecon sent the same page twice.", code="repeated_page", detail=self.resource)
            twins = dict(place.twins)
            records, rejected = self._tell_apart(listing, twins)
            following = self._next_page(place, listing, seen, twins) or self.after(place, listing)
            yield Page(
                records=records,
                rejected=rejected,
                cursor=msgspec.json.encode(following or self.end(place)).decode(),
                expected=self.expected(place, listing),
            )
            if following is None:
                return
            place = following

    @abstractmethod
    def identify(self, row: bytes, twins: dict[str, int]) -> str:
        """The external id; `twins` counts the equal rows of this window that have none."""

    def try_one(self, access: Access, client: Client) -> None:
        """Read one row, to see whether we may."""
        place = self.start(Place(), access.settings)
        path, body = client.path_of(self.resource), self.body(place, access.settings)
        client.rows(path, page=1, size=1, feature=self.feature, body=body)

    def start(self, place: Place, settings: Settings) -> Place:
        """The place to begin at: of a run that ended, the next run's first."""
        return place

    def body(self, place: Place, settings: Settings) -> dict[str, Any] | None:
        """What is sent along with the question; None where it is a plain GET."""
        return None

    def after(self, place: Place, listing: Listing) -> Place | None:
        """Where to go on after the last page of a list."""
        return None

    def end(self, place: Place) -> Place:
        """What to remember of a run that ended."""
        return Place()

    def expected(self, place: Place, listing: Listing) -> int | None:
        """How many rows the run will probably read."""
        return listing.total

    def _next_page(self, place: Place, listing: Listing, seen: str, twins: dict[str, int]) -> Place | None:
        # The vendor may give less at once than was asked for. A full page is never taken for the last: a wrong total
        # would lose rows quietly, one question more costs nothing.
        size = min(place.size, max(listing.size or place.size, 1))
        is_full = len(listing.rows) >= size
        has_more = (place.page - 1) * size + len(listing.rows) < (listing.total or 0)
        if not listing.rows or not (is_full or has_more):
            return None
        if place.page >= MAX_PAGES:
            raise VendorChanged("Corecon's list does not end.", code="endless", detail=self.resource)
        return msgspec.structs.replace(place, page=place.page + 1, seen=seen, twins=twins)

    def _tell_apart(self, listing: Listing, twins: dict[str, int]) -> tuple[tuple[Record, ...], tuple[Rejected, ...]]:
        records, rejected = [], []
        for raw in listing.rows:
            row = bytes(raw)
            try:
                records.append(Record(external_id=self.identify(row, twins), payload=row))
            except RecordRejected as reason:
                rejected.append(Rejected(payload=row, reason=reason.words))
        return tuple(records), tuple(rejected)


class Companies(CoreconStream):
    key = "companies"
    label = "Companies"
    interval = timedelta(hours=12)
    feature = "Companies"
    resource = "Company"
    columns = (
        Column(label="Company", path="Company"),
        Column(label="Code", path="CompanyCode"),
        Column(label="City", path="ShipCity"),
        Column(label="State", path="ShipState"),
        Column(label="Phone", path="Phone"),
        Column(label="Website", path="Website"),
        Column(label="Payment terms", path="DefaultPaymentTerms"),
        Column(label="Active", path="IsActive", kind="flag"),
    )

    def identify(self, row: bytes, twins: dict[str, int]) -> str:
        return company_id(row)


class Projects(CoreconStream):
    key = "projects"
    label = "Projects"
    interval = timedelta(hours=12)
    feature = "Projects"
    resource = "Project"
    columns = (
        Column(label="Project", path="ProjectTitle"),
        Column(label="Number", path="ProjectNumber"),
        Column(label="Status", path="ProjectStatus"),
        Column(label="Owner", path="OwnerCompanyName"),
        Column(label="Project manager", path="ProjectPMContactName"),
        Column(label="Planned start", path="ProjectEstStartDateOrgLocal", kind="date"),
        Column(label="Planned finish", path="ProjectEstFinishDateOrgLocal", kind="date"),
        Column(label="Currency", path="Currency"),
    )

    def identify(self, row: bytes, twins: dict[str, int]) -> str:
        return project_id(row)


class LaborTimecards(CoreconStream):
    """From 13 months back to a week ahead at first; then again from five weeks before the day of the last good run."""

    key = "labor-timecards"
    label = "Labor timecards"
    interval = timedelta(hours=1)
    feature = "Labor Timecards"
    resource = "LaborTime"
    columns = (
        Column(label="Employee", path="EmployeeName"),
        Column(label="Date", path="Date"),  # as text: "24-Mar-2022"
        Column(label="Project", path="ProjectNumber"),
        Column(label="Contract", path="PrimeContractNumber"),
        Column(label="Cost code", path="CostCode"),
        Column(label="Hours", path="Hours", kind="number"),
        Column(label="Pay code", path="PayrollCode"),
        Column(label="Status", path="Status"),
    )

    def identify(self, row: bytes, twins: dict[str, int]) -> str:
        return timecard_id(row, twins)

    def start(self, place: Place, settings: Settings) -> Place:
        if place.since:
            return place
        today = datetime.now(ZoneInfo(str(settings["time_zone"]))).date()
        return Place(run_date=today, since=place.done - OVERLAP if place.done else _months_before(today, FIRST_MONTHS))

    def body(self, place: Place, settings: Settings) -> dict[str, Any]:
        since, until = _window(place)
        return {
            "Project": [],
            "Date": {"FromDate": vendor_date(since), "ToDate": vendor_date(until)},
            "Timezone": windows_of(str(settings["time_zone"])),
        }

    def after(self, place: Place, listing: Listing) -> Place | None:
        _, until = _window(place)
        if until >= _last_day(place):
            return None
        rows = (place.page - 1) * place.size + len(listing.rows)
        return Place(
            size=place.size,
            path=place.path,
            run_date=place.run_date,
            since=until + timedelta(days=1),
            before=place.before + (listing.total or rows),
        )

    def end(self, place: Place) -> Place:
        return Place(done=place.run_date)

    def expected(self, place: Place, listing: Listing) -> int | None:
        if listing.total is None:
            return None
        since, until = _window(place)
        days_left = (_last_day(place) - until).days
        return place.before + listing.total + listing.total * days_left // ((until - since).days + 1)


STREAMS: tuple[CoreconStream, ...] = (Companies(), Projects(), LaborTimecards())


def vendor_date(day: date) -> str:
    """`02-Mar-2022`, in English wherever we run: digits alone could be read day first or month first."""
    return f"{day.day:02}-{MONTHS[day.month - 1]}-{day.year}"


def _place(cursor: str) -> Place:
    try:
        return msgspec.json.decode(cursor, type=Place) if cursor else Place()
    except msgspec.DecodeError:  # of an earlier version of ours: from the very start
        return Place()


def _smaller(place: Place) -> Place:
    """The same place in smaller pages, for an answer that came in part only (206)."""
    if place.size == PAGE_SIZES[-1]:
        raise VendorChanged("Corecon does not give even one row in full.", code="partial", detail="206")
    size = PAGE_SIZES[PAGE_SIZES.index(place.size) + 1]
    return msgspec.structs.replace(place, size=size, page=(place.page - 1) * (place.size // size) + 1)


def _digest(listing: Listing) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for row in listing.rows:
        digest.update(row)
    return digest.hexdigest()


def _last_day(place: Place) -> date:
    return (place.run_date or datetime.now(UTC).date()) + AHEAD


def _window(place: Place) -> tuple[date, date]:
    """The first and the last day of the window, both in it."""
    since = place.since or _last_day(place)
    return since, min(since + WINDOW - timedelta(days=1), _last_day(place))


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, 28))
