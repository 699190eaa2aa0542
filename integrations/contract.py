"""What a vendor's folder offers and what it is given. Everything else in the house knows only this.

A connector talks to its vendor through `Access` (settings, secrets, tokens, HTTP) and never sees the database, the
engine or another vendor.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import msgspec
from msgspec.structs import astuple, replace

from integrations.errors import IntegrationError, ReconnectNeeded, TokenRefused
from integrations.http import Http
from integrations.sources import Sources
from integrations.values import Kind, TypedValue

if TYPE_CHECKING:
    from integrations.forms import ConnectionForm

T = TypeVar("T")
Settings = Mapping[str, Any]


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One vendor thing as it came. `payload` is the vendor's own JSON bytes of this one thing.

    `context` holds facts that are not in the payload but were known when it was read (a room's name beside a booking);
    it is stored and compared with the payload. `parent_id` is the external id of the thing it belongs to, in the
    stream named by `Stream.parent`. `position` says where it lies in what a sweep can cover (see `Span`): text that
    sorts, such as an ISO date; only streams whose sweeps cover a part of what is stored need it. `request_id` names the
    request whose answer it came in, as `Answer.request_id` does; "" on a page that names it for all its records. Equal
    are records that say the same, whichever requests brought them.
    """

    external_id: str
    payload: bytes
    context: Mapping[str, str] = msgspec.field(default_factory=dict)
    parent_id: str = ""
    position: str = ""
    request_id: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and astuple(self)[:-1] == astuple(other)[:-1]


def brought_by(request_id: str, record: Record) -> Record:
    """The record, with the request that brought it unless it names one itself."""
    return record if record.request_id else replace(record, request_id=request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Positions from `since` up to, not including, `until`; "" is no bound. `Span()` is everything there is."""

    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """What came but could not even be told apart: kept with the reason, the rest of the page goes on."""

    payload: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A slice of a stream. Once `records` are stored, `cursor` is the checkpoint.

    `expected` is the number of records the whole run will probably read, where the vendor tells or lets guess.
    `request_id` names the request whose answer the records came in. Where that took several, each record names its own;
    what was asked only to tell something beside a record (`Record.context`) did not bring it.

    For sweeps only: `seen` are the ids of things that are still there although they are not in `records`, and `covers`
    says that with this page the sweep has seen everything the vendor has in that span.
    """

    records: tuple[Record, ...]
    cursor: str
    rejected: tuple[Rejected, ...] = ()
    expected: int | None = None
    request_id: str = field(default="", compare=False)  # says how it came, not what
    seen: tuple[str, ...] = ()
    covers: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the generic pages and of their export: `path` is dotted into the payload (`Customer.Name`).

    `kind` is how to show it: text, number, money, flag, and the three kinds of time: `date` (a bare date, never
    shifted), `instant` (a moment, shown in the reader's zone; without an offset it is UTC), `wall` (a wall-clock time
    at a place, shown as it came). With `is_filter` the list can be narrowed by this column's values: for columns with
    few different ones, such as a status.
    """

    label: str
    path: str
    kind: str = "text"
    is_filter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How fast we may call: `calls` per `per`, at most `burst` at once, so no window of `per` holds more than the two
    together; and `parallel` requests in flight of one slice."""

    calls: int
    per: timedelta
    burst: int = 1
    parallel: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A vendor's answer to a grant. `refresh_expires_in` is None where the vendor sets no end or has no such token."""

    access_token: str = field(repr=False)
    expires_in: timedelta
    refresh_token: str = field(default="", repr=False)
    refresh_expires_in: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What a token request may use: where to go, what opens it, and how to get there."""

    settings: Settings
    secrets: Mapping[str, str] = field(repr=False)
    http: Http = field(repr=False)


class Access(Protocol):
    """An open connection as a vendor's client sees it. `has_worked`: it was connected before, so what fails now has
    changed since."""

    settings: Settings
    http: Http
    has_worked: bool

    def secret(self, name: str) -> str:
        """The stored secret, or "" where none was entered."""
        ...

    def token(self) -> str:
        """An access token with time left. Asked for per request: another worker may have renewed it."""
        ...

    def renew_token(self, refused: str) -> str:
        """A token other than `refused`, which the vendor no longer takes. Raises ReconnectNeeded when there is none."""
        ...


def with_token(access: Access, call: Callable[[str], T]) -> T:
    """Make one authorised call; on `TokenRefused` renew once and repeat, on the second refusal ask for a reconnect."""
    token = access.token()
    try:
        return call(token)
    except TokenRefused:
        try:
            return call(access.renew_token(token))
        except TokenRefused as refusal:
            raise ReconnectNeeded(refusal.words, detail=refusal.detail) from refusal


class Stream(ABC):
    """One kind of thing a vendor lists, in order."""

    key: ClassVar[str]
    label: ClassVar[str]  # plural, as a person says it: "Work orders"
    kind: ClassVar[Kind | None] = None  # which typed page it feeds; None: the generic pages
    parent: ClassVar[str] = ""  # key of the stream that `Record.parent_id` points into
    interval: ClassVar[timedelta] = timedelta(minutes=15)
    columns: ClassVar[tuple[Column, ...]] = ()  # of the generic pages; the first names the record
    sweep_interval: ClassVar[timedelta | None] = None  # how often to look for what is gone; None: never by sweeping
    reads_whole: ClassVar[bool] = False  # `read` always lists all there is, so a sweep catches up as well
    misses: ClassVar[int] = 2  # sweeps in a row that must not find a thing before it counts as gone
    keep_for: ClassVar[timedelta | None] = None  # after the time in `position`; then it is deleted here, for privacy
    stirs_parent: ClassVar[bool] = False  # a new or changed record may change its parent without the parent saying so

    @abstractmethod
    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        """Yield pages from `cursor` ("" = from the very start) until the vendor has no more.

        The law: reading on from any page's cursor gives what the uninterrupted reading would have given from there.
        The last page's cursor is where the next incremental run begins. A reading yields at least one page, perhaps
        without records, so that its end is a checkpoint too. Everything it knows is in the cursor: plain text or
        JSON, in the vendor's terms, without secrets.
        """

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        """Go through what the vendor has, so that what it no longer has can be told: `read`, from the very start.

        The law of `read` holds here too; the cursor is the sweep's own and starts as "" each time. Records on the pages
        are stored as well. What a finished sweep covered (`Page.covers`) and did not see has been missed once; a stream
        that `reads_whole` covers everything by ending and need not say so.
        """
        return self.read(access, cursor)

    def look_up(self, access: Access, external_id: str) -> Record | None:
        """Read one thing by its id, with the request that brought it; None when the vendor says that it does not exist
        (any more).

        Offered where the vendor can: then what sweeps missed is asked for before it counts as gone, and a parent that
        was stirred is read anew. Raises what `read` raises.
        """
        raise NotImplementedError

    @property
    def keys(self) -> Mapping[str, str]:
        """For a stream that can do without an id: the payload's field that a record is known by wherever it comes, and
        by that name the field that stands in for it. Once the first has come, records with the second alone stop the
        stream: they would all be stored again as others."""
        return {}

    @property
    def can_look_up(self) -> bool:
        return type(self).look_up is not Stream.look_up

    def interval_after(self, calls: int) -> timedelta:
        """When to catch up again after a run that took so many calls: for vendors that give calls by the week."""
        return self.interval

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> TypedValue:
        """Turn one record into its typed value; pure. Raises RecordRejected with the reason it cannot be read."""
        raise TypeError(f"{type(self).__name__} has no typed kind")

    def sources(self, context: Mapping[str, str]) -> Sources:
        """Where `interpret` takes each typed field from, for a record with this context. What is not named it leaves
        as it is by default."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What the vendor lets this connection read of one stream, and the vendor's own name for what is missing. `code` is
    that of the error behind a refusal: were every stream refused, the rules look for its cause."""

    stream: str
    state: str  # available, not_permitted, not_bought, unknown
    note: str = ""
    code: str = ""


class Who(StrEnum):
    """Who can mend it, as the pages say it."""

    ADMIN = "An admin here in Switchboard"
    VENDOR_ADMIN = "Whoever administers the vendor's system at your company"
    VENDOR = "The vendor's support"
    OPERATOR = "Switchboard's own support"
    NOBODY = "Nobody: it mends itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is wrong in plain words, what cures it, and who must do that. `key` names the cause."""

    key: str
    cause: str
    cure: str
    who: Who

    @property
    def words(self) -> str:
        return f"{self.cause} {self.cure}".strip()


Suspicion = Callable[[Access, IntegrationError], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One usual mistake. Rules stand in the order in which they are tried; the first that fits is the answer.

    `codes` are those of the errors it can be behind. `fits` looks closer: at settings, at `http.clock_offset`, or with
    a call or two at the vendor's documented addresses; an IntegrationError that it raises means no.
    """

    diagnosis: Diagnosis
    codes: frozenset[str]
    fits: Suspicion = lambda access, error: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """Something at the vendor that ends on a known day: what, when, and how to prolong it. Warned of `warn_days` ahead,
    the longest first."""

    key: str
    what: str  # "The access token of the add-on"
    ends_on: date
    cure: str  # a sentence with the vendor's own names of menus
    warn_days: tuple[int, ...] = (30, 7, 1)


class Connector(ABC):
    """Our code for one vendor. One instance, `connector`, is all that its folder offers."""

    key: ClassVar[str]
    label: ClassVar[str]
    initials: ClassVar[str]  # two letters on the tile
    colour: ClassVar[str]  # of the tile; white text on it passes WCAG AA
    summary: ClassVar[str]  # one sentence: what it brings
    form: ClassVar[type["ConnectionForm"]]
    streams: ClassVar[tuple[Stream, ...]]
    limit: ClassVar[Limit]
    allowance: ClassVar[Limit | None] = None  # a second, longer limit: calls per week, say
    rules: ClassVar[tuple[Rule, ...]] = ()  # the usual mistakes, in the order in which to look for them
    token_timeout: ClassVar[timedelta] = timedelta(seconds=30)  # slowest answer of the token endpoint we wait for
    renew_before: ClassVar[timedelta] = timedelta(minutes=5)  # renew when less than this is left

    @abstractmethod
    def identity(self, settings: Settings) -> str:
        """The vendor account these settings lead to. The same account is connected once per tenant."""

    def is_same_account(self, before: Settings, after: Settings) -> bool:
        """Whether a connection may be given these settings: they lead to the account it belongs to."""
        return self.identity(before) == self.identity(after)

    def forgets(self, before: Settings, after: Settings) -> tuple[str, ...]:
        """The streams whose records must not be kept once the settings are changed like this. What may still be read
        of them is read anew."""
        return ()

    def budget_account(self, settings: Settings) -> str:
        """What the vendor counts calls by. Connections with the same one share a budget, across tenants too."""
        return self.identity(settings)

    def expiries(self, settings: Settings) -> tuple[Expiry, ...]:
        """What will run out, as far as the settings tell."""
        return ()

    def request_token(self, door: Door) -> Tokens:
        """Ask for a token with what is stored, no person needed. Raises ReconnectNeeded where only a person can."""
        raise TypeError(f"{type(self).__name__} uses no tokens")

    def refresh_token(self, door: Door, refresh_token: str) -> Tokens:
        """Trade a refresh token; raises ReconnectNeeded when it is refused. Vendors without one ask anew."""
        return self.request_token(door)

    @abstractmethod
    def check(self, access: Access) -> tuple[Capability, ...]:
        """The live test, stream by stream, with as few calls as possible. Raises what a sync would raise."""

    def uses_redirect(self, settings: Settings) -> bool:
        """Whether a person consents on the vendor's page."""
        return False

    def stream(self, key: str) -> Stream:
        """The stream of that key; KeyError when there is none."""
        for stream in self.streams:
            if stream.key == key:
                return stream
        raise KeyError(key)


class RedirectConnector(Connector):
    """A vendor whose consent page sends the person back to us with a code (OAuth 2.0 authorization code)."""

    @abstractmethod
    def registered_state(self, settings: Settings) -> str:
        """The fixed `state` the vendor insists on, or "" when ours may be random."""

    @abstractmethod
    def authorization_url(self, settings: Settings, *, redirect_uri: str, state: str) -> str:
        """Where the browser goes to consent."""

    @abstractmethod
    def exchange_code(self, door: Door, *, code: str, redirect_uri: str, state: str) -> Tokens:
        """Trade the code that came back for tokens."""
