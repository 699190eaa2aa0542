"""What a vendor answered, and what it means where that is the same for all of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from integrations.errors import RateLimited, RetryLater, VendorChanged, too_large

T = TypeVar("T")
MAX_VALUES = 1_000_000  # in one document: a value may take a hundred times the memory of its three bytes
_MAX_REMARK = 1024 * 1024  # bytes of an error's document that are looked into
_BOM = b"\xef\xbb\xbf"
_HALF_A_PAIR = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    request_id: str = ""  # our name for the request in the log: 32 hexadecimal digits

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def decode(self, shape: type[T], *, strict: bool = True) -> T:
        """The body as `shape` (msgspec). What is no JSON at all (half an answer, a maintenance page) is a bad moment
        and raises RetryLater; JSON in another shape, or nearly JSON, is the vendor's change and raises VendorChanged.

        Two slips are overlooked, for one slip of one record must not hide all others: a byte order mark, and half of a
        surrogate pair (a text cut in the middle of a sign), which becomes U+FFFD."""
        body = self.body.removeprefix(_BOM)
        if len(body) > MAX_VALUES and sum(map(body.count, (b",", b"{", b"["))) > MAX_VALUES:
            raise too_large()
        try:
            return msgspec.json.decode(body, type=shape, strict=strict)
        except msgspec.ValidationError as mistake:
            raise VendorChanged(
                "The vendor answered in a form we do not know. Our developers have to look at it.",
                detail=self._about(mistake),
            ) from mistake
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as mistake:
            mended = _HALF_A_PAIR.sub(rb"\1\\ufffd", body)
            if mended != body:
                return replace(self, body=mended).decode(shape, strict=strict)
            if (body[:1], body.rstrip()[-1:]) in {(b"{", b"}"), (b"[", b"]")}:
                raise VendorChanged(
                    "The vendor answered in something that is not quite JSON. Our developers have to look at it.",
                    code="unreadable",
                    detail=self._about(mistake),
                ) from mistake
            raise RetryLater(
                "The vendor's answer was cut off, or is a web page instead of data. We will try again.",
                code="unreadable",
                detail=self._about(mistake),
            ) from mistake

    def told(self) -> dict[str, Any]:
        """The JSON object of an error; {} for HTML, an empty body or whatever else a proxy may send."""
        if len(self.body) > _MAX_REMARK:
            return {}
        try:
            found = msgspec.json.decode(self.body.removeprefix(_BOM))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def is_html(self) -> bool:
        """Whether a web page came, whatever it calls itself."""
        return self.content_type in {"text/html", "application/xhtml+xml"} or self.body[:64].lstrip().startswith(b"<")

    def passing_failure(self, vendor: str, detail: str = "") -> RetryLater | None:
        """What time mends by itself, if that is what came: a limit (429), a slow moment (408), an outage (5xx)."""
        detail = detail or f"HTTP {self.status}"
        if self.status == 429:
            return RateLimited(
                f"{vendor} asks us to slow down. We wait and go on by ourselves.",
                retry_after=self.retry_after(),
                detail=detail,
            )
        if self.status == 408 or self.status >= 500:
            return RetryLater(
                f"{vendor} is not working properly at the moment. We try again by ourselves.",
                retry_after=self.retry_after(),
                detail=detail,
            )
        return None

    def _about(self, mistake: Exception) -> str:
        return f"HTTP {self.status}, {self.content_type or 'no content type'}, {len(self.body)} bytes: {mistake}"[:500]

    def retry_after(self, now: datetime | None = None) -> timedelta | None:
        """`Retry-After` in both its forms (seconds or an HTTP date), never negative, at most a day."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdecimal():
            span = timedelta(seconds=int(text.lstrip("0")[:6] or 0))  # more digits would be more than a day anyway
        else:
            try:
                span = parsedate_to_datetime(text) - (now or datetime.now(UTC))
            except (TypeError, ValueError, OverflowError, IndexError):
                return None
        return min(max(span, timedelta()), timedelta(days=1))
