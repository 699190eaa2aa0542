"""Reads ahead: the next pages are fetched in a thread of their own while the last ones are being stored."""

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import connections

from integrations.contract import Access, Page, Stream
from integrations.errors import VendorChanged

_AHEAD = 10
_POLL = 0.1


class Reader:
    """A stream being read from `cursor`. What the reading raises is raised by `take`, after the pages before it."""

    def __init__(self, stream: Stream, access: Access, cursor: str) -> None:
        self._stream, self._access, self._cursor = stream, access, cursor
        self._pages: queue.Queue[Page | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        self._stopped = threading.Event()
        self._end: BaseException | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._read, name=f"reader-{stream.key}", daemon=True)

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
        latest = ""  # the first page may well end where the reading began: nothing new
        try:
            for page in self._stream.read(self._access, self._cursor):
                if page.records and page.cursor == latest:
                    raise VendorChanged("The vendor sends the same page again and again.", code="endless")
                latest = page.cursor
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
