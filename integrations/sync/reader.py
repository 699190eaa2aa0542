"""Reads ahead: the next pages are fetched in a thread of their own while the last ones are being stored."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from django.db import connections

from integrations.contract import Page
from integrations.errors import VendorChanged

ENDLESS = "endless"  # the code of a list that goes in circles
_MOMENT = 0.1  # seconds
_AHEAD = 20  # pages, as many as are written together
_MOST_BYTES = 16 * 1024 * 1024  # read ahead, or taken at once; a single page may be larger
_MOST_ROWS = 100_000  # of a page
_MOST_EXPECTED = 10**12
_LONGEST_CURSOR = 1_000_000
_MOST_PAGES = 1_000_000  # of a run
_MOST_READINGS = 5  # of what there is, in a run
_FEW = 10_000  # rows
_WEIGHT = 500  # bytes of memory that a row takes beside its payload


class Reader:
    """Pages being read. What the reading raises is raised by `take`, after the pages before it."""

    def __init__(self, pages: Iterator[Page], name: str) -> None:
        self._source = pages
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Page, int]] = deque()
        self._weight = 0  # of the waiting pages, in bytes
        self._is_stopped = False
        self._is_over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name=f"reader-{name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()

    def take(self, at_most: int, *, every: float, meanwhile: Callable[[], None]) -> list[Page]:
        """The pages at hand, at least one; an empty list is the end. Raises what ended the reading. While the vendor
        takes its time, `meanwhile` is called each `every` seconds."""
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._waiting or self._is_over, timeout=every):
                    pages = self._take(at_most)
                    break
            meanwhile()
        if not pages and self._error is not None:
            raise self._error
        return pages

    def take_when_full(self, at_most: int, unless: threading.Event) -> list[Page]:
        """Waits until no more can be read ahead, and takes that. Nothing at the end of the list, nor where `call_off`
        comes sooner: then the vendor is slower than we are."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_full or self._is_over or unless.is_set())
            return self._take(at_most) if self._is_full else []

    def call_off(self, waiting: threading.Event) -> None:
        """End the waiting of the `take_when_full` that was given this."""
        with self._changed:
            waiting.set()
            self._changed.notify_all()

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= _AHEAD or self._weight >= _MOST_BYTES

    def is_at_end(self) -> bool:
        """Whether everything was taken, as far as a moment's wait can tell."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over, timeout=_MOMENT)
            return self._is_over and not self._waiting and self._error is None

    def _take(self, at_most: int) -> list[Page]:
        pages: list[Page] = []
        taken = 0
        while self._waiting and len(pages) < at_most:
            page, weight = self._waiting[0]
            if pages and taken + weight > _MOST_BYTES:
                break
            self._waiting.popleft()
            pages.append(page)
            taken += weight
        self._weight -= taken
        self._changed.notify_all()
        return pages

    def _read(self) -> None:
        watch = Watch()
        try:
            for page in self._source:
                sound = _sound(page)
                watch.look_at(sound)
                if not self._put(sound, _weight_of(sound)):
                    return
        except BaseException as error:  # handed over to the thread that stores
            self._error = error
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()
            connections.close_all()

    def _put(self, page: Page, weight: int) -> bool:
        """False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._has_room_for(weight))
            if self._is_stopped:
                return False
            self._waiting.append((page, weight))
            self._weight += weight
            self._changed.notify_all()
        return True

    def _has_room_for(self, weight: int) -> bool:
        return not self._waiting or (len(self._waiting) < _AHEAD and self._weight + weight <= _MOST_BYTES)


def _rows(page: Page) -> int:
    return len(page.records) + len(page.rejected) + len(page.seen)


def _weight_of(page: Page) -> int:
    """Roughly the bytes of memory it takes."""
    payloads = sum(len(record.payload) for record in page.records) + sum(len(item.payload) for item in page.rejected)
    return payloads + _rows(page) * _WEIGHT + len(page.cursor)


def _sound(page: Page) -> Page:
    """The page without a number to be expected that cannot be one. Raises VendorChanged for what is no page."""
    if _rows(page) > _MOST_ROWS:
        raise VendorChanged(
            "The vendor sent far more at once than we can take. Our developers have to look at it.",
            code="too_large",
            detail=f"{_rows(page)} rows on a page",
        )
    if len(page.cursor) > _LONGEST_CURSOR or "\0" in page.cursor:
        raise VendorChanged(
            "The vendor marks its pages in a way we do not know. Our developers have to look at it.",
            code="cursor",
            detail=f"{len(page.cursor)} characters",
        )
    if page.expected is not None and not 0 <= page.expected <= _MOST_EXPECTED:
        return replace(page, expected=None)
    return page


class Watch:
    """Notices a list without end while it is being read: pages that lead back to where the reading has been, or that
    bring again what came before."""

    _MEMORY = 2000  # pages
    _STANDING = 10  # so many in a row that do not move
    _CIRCLING = 100  # so many in a row that were there before: a few may be, where a list moves on meanwhile

    def __init__(self) -> None:
        self._places, self._contents = _Memory(self._MEMORY), _Memory(self._MEMORY)
        self._content = 0
        self._standing = self._circling = 0

    def look_at(self, page: Page) -> None:
        """Raises VendorChanged. Empty pages alone are no sign: a walk may find nothing for long."""
        is_known_place = self._places.has_met(hash(page.cursor))
        if page.records or page.seen:
            content = _content_of(page)
            is_same, self._content = content == self._content, content
            is_known = self._contents.has_met(content)
            self._standing = self._standing + 1 if is_known_place or is_same else 0
        else:
            is_known = is_known_place
        self._circling = self._circling + 1 if is_known else 0
        if self._standing >= self._STANDING or self._circling >= self._CIRCLING:
            raise endless()


class _Memory:
    """The latest so many different numbers."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._met: dict[int, None] = {}

    def has_met(self, number: int) -> bool:
        """Whether it is among them; from now on it is."""
        if number in self._met:
            return True
        self._met[number] = None
        if len(self._met) > self._size:
            del self._met[next(iter(self._met))]
        return False


def has_gone_round(*, read: int, pages: int, known: int) -> bool:
    """Whether a run has read so many times what there is that it will not end: a vendor so slow that a slice holds few
    pages shows none of them twice in one. `known` counts what the stream holds, and what the run set aside."""
    return pages > _MOST_PAGES or read > known * _MOST_READINGS + _FEW


def endless() -> VendorChanged:
    return VendorChanged(
        "The vendor sends the same pages again and again. Our developers have to look at it.", code=ENDLESS
    )


def _content_of(page: Page) -> int:
    """A number that tells it from other pages within this process; the vendor cannot work it out."""
    ids, payloads = [record.external_id for record in page.records], [record.payload for record in page.records]
    return hash((tuple(ids), tuple(payloads), page.seen))
