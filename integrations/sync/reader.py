"""Reads ahead: the next pages are fetched in a thread of their own while the last ones are being stored."""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from django.db import connections

from integrations.contract import Page
from integrations.errors import VendorChanged

_AHEAD = 10
_POLL = 0.1
_REPEATS = 10  # so many pages in a row that lead nowhere are a list without end


class Reader:
    """Pages being read. What the reading raises is raised by `take`, after the pages before it."""

    def __init__(self, pages: Iterator[Page], name: str) -> None:
        self._source = pages
        self._pages: queue.Queue[Page | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        self._stopped = threading.Event()
        self._end: BaseException | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._read, name=f"reader-{name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def take(self, at_most: int, *, every: float, meanwhile: Callable[[], None]) -> list[Page]:
        """The pages at hand, at least one; an empty list is the end. Raises what ended the reading. While the vendor
        takes its time, `meanwhile` is called each `every` seconds."""
        pages: list[Page] = []
        while not self._is_over and len(pages) < at_most:
            try:
                item = self._pages.get(block=not pages, timeout=every)
            except queue.Empty:
                if pages:
                    break
                meanwhile()
                continue
            if isinstance(item, Page):
                pages.append(item)
            else:
                self._is_over, self._end = True, item
        if not pages and self._end is not None:
            raise self._end
        return pages

    def _read(self) -> None:
        watch = _Watch()
        try:
            for page in self._source:
                watch.look_at(page)
                if not self._put(page):
                    return
            self._put(None)
        except BaseException as error:  # handed over to the thread that stores
            self._put(error)
        finally:
            connections.close_all()

    def _put(self, item: Page | BaseException | None) -> bool:
        """False when nobody wants it any more."""
        while not self._stopped.is_set():
            try:
                self._pages.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False


class _Watch:
    """Notices a list without end: pages that do not move the cursor, or that bring the same again and again."""

    def __init__(self) -> None:
        self._cursor: str | None = None
        self._content = b""
        self._repeats = 0

    def look_at(self, page: Page) -> None:
        """Raises VendorChanged. Empty pages are no sign: a walk may find nothing for long."""
        if not page.records and not page.seen:
            return
        content = _content_of(page)
        is_repeat = page.cursor == self._cursor or content == self._content
        self._repeats = self._repeats + 1 if is_repeat else 0
        if self._repeats >= _REPEATS:
            raise VendorChanged("The vendor sends the same page again and again.", code="endless")
        self._cursor, self._content = page.cursor, content


def _content_of(page: Page) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for record in page.records:
        digest.update(record.external_id.encode() + b"\0" + record.payload)
    digest.update("\0".join(page.seen).encode())
    return digest.digest()
