"""Turning the pages of a list that may move meanwhile; pure.

coreplus counts pages, so a row that goes away lets every later one slip one place past the reader. What tells is
`totalRows`: a list whose total is no longer that of its first page is begun again.
"""

from hashlib import blake2b

import msgspec

from integrations.errors import VendorChanged
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
