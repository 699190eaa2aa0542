"""Turning the pages of a list that may move meanwhile.

coreplus counts pages, so a row that goes away lets every later one slip one place past the reader. What tells is
`totalRows`: a list whose total is no longer that of its first page is begun again. Each page tells its own, so
pages may be asked for side by side: whichever of them was counted after the change gives it away. Without `totalRows`
only the page before tells whether there is another.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b

import msgspec

from integrations.errors import VendorChanged
from integrations.http import Http
from integrations.vendors.coreplus import assumptions
from integrations.vendors.coreplus.client import Listing


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """The page to ask for next (0: there is none), and what was seen of the list so far.

    `last` tells the page before by its bytes. `is_torn`: it changed so often that we made do with what we saw.
    """

    page: int = 1
    total: int | None = None
    read: int = 0
    last: str = ""
    restarts: int = 0
    is_torn: bool = False

    @property
    def is_end(self) -> bool:
        return self.page == 0

    def known(self, size: int) -> range:
        """The pages that are there for certain, from this place on, when each has so many rows."""
        return range(self.page, max(self.page, -(-(self.total or 0) // size)) + 1)


def read(
    http: Http, fetch: Callable[[int], Listing], place: Place, size: int, first: Listing | None = None
) -> Iterator[tuple[Listing, Place]]:
    """The pages of a list from that place on, each with the place after it. `fetch` asks for one by its number; `first`
    is the page at the place, where it is there already."""
    while not place.is_end:
        listings = iter((first,)) if first else http.each(fetch, place.known(size))
        first = None
        for listing in listings:
            number, place = place.page, turn(place, listing, size)
            yield listing, place
            if place.page <= number:  # the end, or begun again
                break


def turn(place: Place, listing: Listing, size: int) -> Place:
    """The place after this page of at most `size` rows. Raises VendorChanged for a list that does not move on."""
    digest = blake2b(b"".join(bytes(row) for row in listing.rows), digest_size=8).hexdigest()
    if listing.rows and (digest == place.last or (listing.page or place.page) != place.page):
        raise VendorChanged(
            "coreplus sends the same page again and again.", code="endless", detail=f"page {place.page}"
        )
    total = place.total if listing.total is None else listing.total
    read = place.read + len(listing.rows)
    is_last = len(listing.rows) < size if total is None else read >= total or not listing.rows
    has_changed = (place.page > 1 and total != place.total) or (is_last and total is not None and read != total)
    if has_changed and place.restarts < assumptions.MAX_RESTARTS:
        return Place(restarts=place.restarts + 1)
    return Place(
        page=0 if is_last else place.page + 1,
        total=total,
        read=read,
        last=digest,
        restarts=place.restarts,
        is_torn=place.is_torn or has_changed,
    )
