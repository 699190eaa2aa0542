"""How Corecon is read, whatever is listed: part by part, page by page. The vendor offers no "changed since" and no sign
of a deletion, so each kind of stream reads again what may have changed."""

import hashlib
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, count
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec

from integrations.contract import Access, Page, Record, Rejected, Settings, Span, Stream
from integrations.errors import RecordRejected, VendorChanged
from integrations.http import Http
from integrations.vendors.corecon.assumptions import PAGE_SIZES
from integrations.vendors.corecon.client import Client, Listing
from integrations.vendors.corecon.records import Fields, fields_of

MAX_PAGES = 20_000  # of one list: two million rows


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a reading stands; as JSON it is the cursor.

    `run_date` is the day the run began, at the account; `path` where the resource is listed, asked once a run; `part`
    the part at hand (see `Part`) and `page` the page of it; `before` the number of rows of the parts behind it; `twins`
    the equal rows without an id in this part; `seen` the digest of the last page with rows, to notice one that repeats.
    `done` is the day on which the run before this one began; alone, it is a run that ended.
    """

    page: int = 1
    size: int = PAGE_SIZES[0]
    path: str = ""
    part: str = ""
    seen: str = ""
    before: int = 0
    twins: dict[str, int] = {}
    run_date: date | None = None
    is_sweep: bool = False
    done: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A list that is asked for by itself, such as a month. `key` sorts; `body` is sent along (None: a plain GET);
    `covers` is what has been gone through when the part has been read to its end."""

    key: str = ""
    body: Mapping[str, Any] | None = None
    covers: Span | None = None


class CoreconStream(Stream):
    """Pages of one resource, from a place on."""

    feature: ClassVar[str]  # as the vendor's list of allowed features says it
    needs: ClassVar[tuple[str, ...]] = ()  # features beside its own
    resource: ClassVar[str]  # as the API root names it

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        return self.walk(access, Client(access), _place(cursor))

    def walk(self, access: Access, client: Client, place: Place) -> Iterator[Page]:
        """The pages from that place on."""
        place = self.begin(place, access.settings)
        if not place.path:
            place = msgspec.structs.replace(place, path=self.path(client))
        parts = deque(self.parts(place, access, client))
        if not parts:  # only a first run, or a sweep, has asked for everything there is
            yield Page(records=(), cursor=_end(place), covers=None if place.done else Span())
        while parts:
            if place.part != parts[0].key:
                place = _enter(place, parts[0])
            for listing, has_more in self._listings(access.http, client, place, tuple(parts)):
                if listing.is_partial:
                    place = _smaller(place)
                    break  # whatever is still to come is asked for in smaller pages too
                seen = _digest(listing) if listing.rows else place.seen
                if listing.rows and seen == place.seen:
                    raise VendorChanged("Corecon sent the same page twice.", code="repeated_page", detail=self.resource)
                twins = dict(place.twins)
                records, rejected = self._tell_apart(listing, twins)
                place = msgspec.structs.replace(place, seen=seen, twins=twins)
                expected = None if listing.total is None else place.before + listing.total * len(parts)
                covers = None if has_more else parts[0].covers
                if has_more:
                    place = msgspec.structs.replace(place, page=place.page + 1)
                else:
                    parts.popleft()
                    if parts:
                        rows = (place.page - 1) * place.size + len(listing.rows)
                        place = _enter(place, parts[0], before=place.before + (listing.total or rows))
                yield Page(
                    records=records,
                    rejected=rejected,
                    cursor=_end(place) if not parts else msgspec.json.encode(place).decode(),
                    expected=expected,
                    request_id=listing.request_id,
                    covers=covers,
                )

    def _listings(
        self, http: Http, client: Client, place: Place, parts: tuple[Part, ...]
    ) -> Iterator[tuple[Listing, bool]]:
        """The pages of these parts from the place in the first one on, each with whether its part has more.

        Side by side are asked for the first pages of parts, which do not depend on each other, and within a part those
        that the total promises.
        """

        def ask(question: tuple[Part, int]) -> Listing:
            part, number = question
            return client.rows(place.path, page=number, size=place.size, feature=self.feature, body=part.body)

        starts = [(part, 1 if index else place.page) for index, part in enumerate(parts)]
        for (part, number), first in zip(starts, http.each(ask, starts), strict=True):
            last = _last_page(first, place.size)
            promised = http.each(ask, ((part, page) for page in range(number + 1, last + 1)))
            beyond = (ask((part, page)) for page in count(max(number, last) + 1))
            for page, listing in enumerate(chain((first,), promised, beyond), number):
                has_more = self._has_more(listing, page, place.size)
                yield listing, has_more
                if not has_more:
                    break

    @abstractmethod
    def parts(self, place: Place, access: Access, client: Client) -> list[Part]:
        """What is still to be read in this run, from the part at hand on, in the order of the keys."""

    @abstractmethod
    def identify(self, fields: Fields, twins: dict[str, int]) -> str:
        """The external id; `twins` counts the equal rows of this part that have none."""

    def parent_of(self, fields: Fields) -> str:
        return ""

    def position_of(self, fields: Fields) -> str:
        return ""

    def path(self, client: Client) -> str:
        """Where it is listed."""
        return client.path_of(self.resource)

    def begin(self, place: Place, settings: Settings) -> Place:
        """The place itself, or the first one of a new run."""
        if place.run_date:
            return place
        today = datetime.now(ZoneInfo(str(settings["time_zone"]))).date()
        return Place(run_date=today, is_sweep=place.is_sweep, done=place.done)

    def probe(self, settings: Settings) -> Mapping[str, Any] | None:
        """What is sent along when one row is read to see whether we may."""
        return None

    def try_one(self, access: Access, client: Client) -> None:
        """Read one row, to see whether we may."""
        client.rows(self.path(client), page=1, size=1, feature=self.feature, body=self.probe(access.settings))

    def _has_more(self, listing: Listing, page: int, size: int) -> bool:
        # A full page is never taken for the last: a wrong total would lose rows quietly, a question more costs nothing.
        is_full = len(listing.rows) >= _given_at_once(listing, size)
        is_short_of_total = (page - 1) * size + len(listing.rows) < (listing.total or 0)
        has_more = bool(listing.rows) and (is_full or is_short_of_total)
        if has_more and page >= MAX_PAGES:
            raise VendorChanged("Corecon's list does not end.", code="endless", detail=self.resource)
        return has_more

    def _tell_apart(self, listing: Listing, twins: dict[str, int]) -> tuple[tuple[Record, ...], tuple[Rejected, ...]]:
        records, rejected = [], []
        for raw in listing.rows:
            row = bytes(raw)
            try:
                fields = fields_of(row)
                records.append(
                    Record(
                        external_id=self.identify(fields, twins),
                        payload=row,
                        parent_id=self.parent_of(fields),
                        position=self.position_of(fields),
                    )
                )
            except RecordRejected as reason:
                rejected.append(Rejected(payload=row, reason=reason.words))
        return tuple(records), tuple(rejected)


def _place(cursor: str) -> Place:
    try:
        return msgspec.json.decode(cursor, type=Place) if cursor else Place()
    except msgspec.DecodeError:  # of an earlier version of ours: from the very start
        return Place()


def _end(place: Place) -> str:
    return msgspec.json.encode(Place(done=place.run_date)).decode()


def _enter(place: Place, part: Part, before: int | None = None) -> Place:
    return msgspec.structs.replace(
        place, part=part.key, page=1, twins={}, before=place.before if before is None else before
    )


def _given_at_once(listing: Listing, size: int) -> int:
    """The vendor may give less than was asked for."""
    return min(size, max(listing.size or size, 1))


def _last_page(listing: Listing, size: int) -> int:
    """By the total, as far as it is told."""
    return -(-(listing.total or 0) // _given_at_once(listing, size))


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
