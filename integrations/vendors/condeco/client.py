"""HTTP to Condeco: the token at the customer's host, lists and single things at the API host."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from urllib.parse import quote, urlsplit

import msgspec

from integrations.answers import Answer
from integrations.contract import Access, Door, Tokens, with_token
from integrations.errors import ConfigurationNeeded, NotBought, NotPermitted, VendorChanged
from integrations.vendors.condeco import assumptions, failures


class Collection(StrEnum):
    """What a subscription key opens, in the vendor's words."""

    BOOKINGS = "ExternalBookings"
    HIERARCHY = "HierarchyMapping"
    VISITORS = "Visitor"
    COST_CODES = "CostCode"
    VENDOR_SERVICES = "VendorServices"


KEY_SECRETS = {
    Collection.BOOKINGS: "external_bookings_key",
    Collection.HIERARCHY: "hierarchy_mapping_key",
    Collection.VISITORS: "visitor_key",
    Collection.COST_CODES: "cost_code_key",
    Collection.VENDOR_SERVICES: "vendor_services_key",
}
REQUIRED = (Collection.BOOKINGS, Collection.HIERARCHY)
Query = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The answer to one call: each row as it came, and the request that brought them."""

    rows: list[msgspec.Raw] = field(default_factory=list)
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One thing as it came, and the request that brought it."""

    payload: bytes
    request_id: str


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int | str | None = None


_List = list[msgspec.Raw] | msgspec.UnsetType | None


class _Envelope(msgspec.Struct):
    """Every envelope. `Status` is false in good answers, so it is not read."""

    data: _List = msgspec.field(default=msgspec.UNSET, name="Data")
    bookings: _List = msgspec.UNSET
    desk_bookings: _List = msgspec.field(default=msgspec.UNSET, name="deskBookings")
    visitors: _List = msgspec.UNSET
    total: int | None = msgspec.field(default=None, name="totalRecords")
    is_error: bool | None = msgspec.field(default=False, name="IsError")
    message: str | None = msgspec.field(default="", name="Message")

    @property
    def found(self) -> _List:
        lists = (self.data, self.bookings, self.desk_bookings, self.visitors)
        return next((one for one in lists if one is not msgspec.UNSET), msgspec.UNSET)


def request_token(door: Door, timeout: timedelta) -> Tokens:
    """A session token for client id and password; Condeco has no refresh token. Raises ReconnectNeeded when refused."""
    host = door.settings["customer_url"]
    answer = door.http.send(
        "POST",
        f"{host}/tokenproviderapi/token",
        form={
            "grant_type": "password",  # there is no user name: the client id takes its place
            "client_id": door.settings["client_id"],
            "password": door.secrets.get("client_password", ""),
        },
        timeout=timeout,
    )
    if not answer.is_success or answer.is_html:
        raise failures.of_token(answer, urlsplit(host).netloc)
    token = answer.decode(_Token)
    if not token.access_token:
        raise VendorChanged("Condeco answered our sign-in without a session token.", detail="empty access_token")
    return Tokens(access_token=token.access_token, expires_in=_lifetime(token.expires_in))


def read_list(access: Access, collection: Collection, path: str, query: Query = ()) -> Listing:
    """The records of one list. Empty too when the thing asked about has gone meanwhile."""
    pairs = tuple(query)
    answer = with_token(access, lambda token: _get(access, token, collection, path, pairs))
    if not answer.is_success:
        return Listing()
    told = answer.decode(_Envelope)
    if told.is_error:
        if assumptions.GONE_WORDS in (told.message or "").lower():
            return Listing()
        raise failures.of_question(f"IsError: {told.message}")
    found = told.found
    if found is msgspec.UNSET:
        raise VendorChanged("Condeco answered in a form we do not know.", detail=f"{path}: none of the known lists")
    if told.total is not None and told.total > len(found or ()):
        raise VendorChanged(
            "Condeco sent only a part of what we asked for.",
            code="part_only",
            detail=f"{path}: {len(found or ())} of {told.total}",
        )
    return Listing(rows=found or [], request_id=answer.request_id)


def read_one(access: Access, collection: Collection, path: str, query: Query = ()) -> Single | None:
    """One thing by its id, out of whichever wrapper it came in; None when it does not exist."""
    pairs = tuple(query)
    answer = with_token(access, lambda token: _get(access, token, collection, path, pairs, is_one=True))
    if not answer.is_success:
        return None
    told = answer.decode(dict[str, msgspec.Raw])
    if failures.is_error_of(answer):
        if assumptions.GONE_WORDS in failures.words(answer).lower():
            return None
        raise failures.of_question(f"IsError: {failures.words(answer)}")
    wrapped = next((told[name] for name in assumptions.WRAPPERS if name in told), None)
    payload = answer.body if wrapped is None else _unpacked(bytes(wrapped))
    return Single(payload=payload, request_id=answer.request_id) if payload else None


def _unpacked(text: bytes) -> bytes:
    """What a wrapper holds, alone or first in a list; b"" for nothing."""
    if not text.lstrip().startswith(b"["):
        return b"" if text.strip() == b"null" else text
    several = msgspec.json.decode(text, type=list[msgspec.Raw])
    return bytes(several[0]) if several else b""


def key_of(access: Access, collection: Collection) -> str:
    """The subscription key of the collection. Raises NotPermitted, NotBought for a collection one can do without."""
    key = access.secret(KEY_SECRETS[collection])
    if key:
        return key
    code = f"key_missing_{collection.name.lower()}"
    if collection in REQUIRED:
        raise NotPermitted(f"Enter the {collection} subscription key.", code=code)
    raise NotBought(
        f"No {collection} subscription key was entered. If your company has one, enter it to copy this too.", code=code
    )


def is_key_known(access: Access, collection: Collection, key: str, *, api_url: str = "") -> bool:
    """Whether the gateway at that address takes the key for the collection: one call, told by the gateway's words."""
    path, query = _CHEAPEST[collection]
    answer = access.http.send(
        "GET",
        _address(access, path, api_url),
        query=query,
        headers={"Ocp-Apim-Subscription-Key": key, "Authorization": f"Bearer {access.token()}"},
    )
    if answer.is_html or answer.status in (404, 429) or answer.status >= 500:
        return False
    return not (answer.status == 401 and assumptions.SUBSCRIPTION_KEY_WORDS in failures.words(answer).lower())


# What costs Condeco least to answer; a refusal by the application is an answer too.
_CHEAPEST: dict[Collection, tuple[str, tuple[tuple[str, str], ...]]] = {
    Collection.HIERARCHY: ("countries", ()),
    Collection.BOOKINGS: ("bookings", (("roomId", "0"),)),
    Collection.VISITORS: ("visitor", (("locationId", "0"),)),
}


def _get(
    access: Access,
    token: str,
    collection: Collection,
    path: str,
    query: tuple[tuple[str, str], ...],
    *,
    is_one: bool = False,
) -> Answer:
    """The answer, which is good or says that the thing asked about does not exist. Raises every other failure."""
    headers = {"Ocp-Apim-Subscription-Key": key_of(access, collection), "Authorization": f"Bearer {token}"}
    answer = access.http.send("GET", _address(access, path), query=query, headers=headers)
    if (answer.is_success and not answer.is_html) or (query and failures.says_gone(answer, is_one=is_one)):
        return answer
    if answer.status == 404 and not answer.is_html:
        # The name or address is wrong only when every path fails, so ask for the one that always exists.
        if path == "countries":
            raise ConfigurationNeeded(failures.WRONG_ADDRESS, code="address", detail=failures.detail(answer))
        _get(access, token, Collection.HIERARCHY, "countries", ())
        raise VendorChanged("Condeco no longer offers a list that we read.", detail=failures.detail(answer))
    raise failures.of_call(answer, collection, collection.name.lower(), has_worked=access.has_worked)


def _address(access: Access, path: str, api_url: str = "") -> str:
    suffix = quote(access.settings["subscription_name"], safe="")
    return f"{api_url or access.settings['api_url']}/{suffix}/api/V1/{path}"


def _lifetime(expires_in: int | str | None) -> timedelta:
    text = str(expires_in)
    seconds = min(int(text), 86_400) if text.isdecimal() and len(text) < 10 else 0
    return timedelta(seconds=seconds) if seconds else assumptions.TOKEN_LIFETIME
