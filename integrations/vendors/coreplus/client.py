"""HTTP to coreplus: a token signed for each request, one page of a list, and failures as our errors."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import jwt
import msgspec
from django.conf import settings as site

from integrations.answers import Answer
from integrations.contract import Access
from integrations.errors import ConfigurationNeeded, RetryLater, VendorChanged
from integrations.http import Http
from integrations.vendors.coreplus import assumptions, failures
from integrations.vendors.coreplus.failures import Resource

T = TypeVar("T")
_logger = logging.getLogger(__name__)
Query = Iterable[tuple[str, str]]
Fields = dict[str, msgspec.Raw]

LOCATIONS = Resource(path="Location/", key="locations", thing="locations")
PRACTITIONERS = Resource(path="Practitioner/", key="practitioners", thing="practitioners")
APPOINTMENTS = Resource(path="Appointment/", key="appointments", thing="appointments")
CLIENTS = Resource(path="Client/", key="clients", thing="clients", permission=assumptions.CLIENT_PERMISSION)
TYPES = Resource(path=assumptions.TYPES_PATH, key="specialtyTypes", thing="appointment types", is_path_assumed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The four values that coreplus hands out for an environment."""

    api_url: str
    consumer_id: str
    secret: str = field(repr=False)
    access_token: str = field(repr=False)

    @classmethod
    def of(cls, access: Access) -> "Keys":
        return cls(
            api_url=str(access.settings["api_url"]),
            consumer_id=str(access.settings["consumer_id"]),
            secret=access.secret("secret"),
            access_token=access.secret("access_token"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a list. `total` counts the rows of all pages, `page` is the page's own number; None: not told.
    `request_id` names the request that brought it."""

    rows: list[msgspec.Raw]
    total: int | None = None
    page: int | None = None
    request_id: str = ""


class _Paging(msgspec.Struct, frozen=True):
    total: int | None = msgspec.field(default=None, name="totalRows")
    page: int | None = msgspec.field(default=None, name="pageNumber")


def vendor_now(http: Http) -> datetime:
    """The present by coreplus's clock where it is known to be far from ours, else by ours; UTC, whole seconds."""
    offset = http.clock_offset if is_clock_off(http) else timedelta()
    return (datetime.now(UTC) + offset).replace(microsecond=0)


def is_clock_off(http: Http) -> bool:
    return abs(http.clock_offset) > assumptions.CLOCK_TOLERANCE


def fetch_list(access: Access, resource: Resource, query: Query = ()) -> Listing:
    """One page of a list, each row as coreplus's own bytes. Raises NotPermitted for this list alone, and the rest."""
    fields, request_id = _get(access, resource, resource.path, query)
    rows = _decoded(fields[resource.key], list[msgspec.Raw])
    paging = _decoded(fields["paging"], _Paging) if "paging" in fields else _Paging()
    return Listing(rows=rows, total=paging.total, page=paging.page, request_id=request_id)


def fetch_page(access: Access, resource: Resource, *, page: int, size: int, query: Query = ()) -> Listing:
    """One numbered page, the first being 1."""
    return fetch_list(access, resource, [*query, ("pageNumber", str(page)), ("pageSize", str(size))])


def fetch_appointments(access: Access, *, since: date, until: date, zone: str, page: int, size: int) -> Listing:
    """Appointments from `since` to `until`, both included: days of the zone, which is one of coreplus's GUIDs."""
    query = [("startDate", since.isoformat()), ("endDate", until.isoformat()), ("timezoneId", zone)]
    return fetch_page(access, APPOINTMENTS, page=page, size=size, query=[*query, ("getPractitionerProfiles", "true")])


def fetch_appointment(access: Access, appointment_id: str) -> tuple[msgspec.Raw, str] | None:
    """One appointment with what is known of its cancellation, and the id of the request; None when coreplus has none of
    that id."""
    one = Resource(path=f"Appointment/{quote(appointment_id, safe='')}/", key="appointment", thing="appointments")
    # `cancellationId` sounds like an id and is a switch (page "Get an appointment record").
    query = [("getPractitionerProfiles", "true"), ("cancellationId", "true")]
    try:
        fields, request_id = _get(access, one, one.path, query)
    except failures.Gone:
        return None
    return fields[one.key], request_id


def opens(http: Http, keys: Keys) -> bool:
    """Whether coreplus takes these keys: for telling mistakes apart. Raises when there was no answer."""
    answer = _send(http, keys, LOCATIONS.path, ())
    fields = failures.fields_of(answer)
    return answer.is_success and not failures.is_token_refused(answer, failures.reason_of(fields, answer))


def _get(access: Access, resource: Resource, path: str, query: Query) -> tuple[Fields, str]:
    """The fields of a good answer, and the id of its request. A token that is refused is signed once more: by then we
    know coreplus's clock."""
    keys, pairs = Keys.of(access), list(query)
    for is_last_try in (False, True):
        answer = _send_for(access, keys, path, pairs)
        fields = failures.fields_of(answer)
        reason = failures.reason_of(fields, answer)
        if not failures.is_token_refused(answer, reason):
            break
        if is_clock_off(access.http):
            _logger.warning("coreplus's clock is %.0f s ahead of ours", access.http.clock_offset.total_seconds())
        if is_last_try:
            raise failures.token_failure(access, vendor_now(access.http), answer, reason)
    if failure := failures.failure_of(access, resource, answer, fields, reason):
        raise failure
    if resource.key not in fields:
        raise VendorChanged(
            "coreplus answered in a form we do not know. Our developers have to look at it.",
            detail=f"HTTP {answer.status}, {len(answer.body)} bytes without “{resource.key}”",
        )
    return fields, answer.request_id


def _send_for(access: Access, keys: Keys, path: str, query: list[tuple[str, str]]) -> Answer:
    """As `_send`; an address that leads nowhere is told to who has just entered it."""
    try:
        return _send(access.http, keys, path, query)
    except RetryLater as failure:
        is_nowhere = failure.code == "unknown_host" or failure.detail == "ConnectError"
        if is_nowhere and not access.has_worked and access.settings.get("environment") != "sandbox":
            raise ConfigurationNeeded(
                "We cannot reach this address. Your admin should compare the API URL with the one coreplus gave you.",
                code="unreachable_address",
                detail=failure.code,
            ) from failure
        raise


def _send(http: Http, keys: Keys, path: str, query: Query) -> Answer:
    base = urlsplit(keys.api_url)
    # The token names path and query, which must be the very text that is sent: put together once, here.
    text = urlencode(list(query), quote_via=quote)
    target = f"{base.path}/{path}{'?' if text else ''}{text}"
    origin = f"{base.scheme}://{base.netloc}"
    token = sign(keys, "GET", target, audience=origin, at=vendor_now(http))
    # The content type counts as part of the sign-in, on reading too (guide: "Invalid token").
    headers = {"authorization": f"JwToken {token}", "content-type": "application/json"}
    return http.send("GET", f"{origin}{target}", headers=headers)


def sign(keys: Keys, method: str, target: str, *, audience: str, at: datetime) -> str:
    """A token for one request to `target` (path and query). Raises ConfigurationNeeded when the secret is no key."""
    begins = int((at - assumptions.TOKEN_HEAD_START).timestamp())
    claims = {
        "iss": site.SITE_URL,
        "aud": audience,
        "nbf": begins,
        "exp": begins + int(assumptions.TOKEN_LIFE.total_seconds()),
        "consumerId": keys.consumer_id,
        "accessToken": keys.access_token,
        "url": target,
        "httpMethod": method,
    }
    try:
        return jwt.encode(claims, keys.secret, algorithm="HS256")
    except jwt.PyJWTError as mistake:
        raise ConfigurationNeeded(
            "The secret is empty or is not one of coreplus's. Your admin should enter it again.", code="secret"
        ) from mistake


def _decoded(raw: msgspec.Raw, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as mistake:
        raise VendorChanged(
            "coreplus answered in a form we do not know. Our developers have to look at it.", detail=str(mistake)[:200]
        ) from mistake
