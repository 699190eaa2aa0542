"""The live test: what of CorrigoPro these credentials may read."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from integrations.contract import Access, Capability, Stream
from integrations.errors import ConfigurationNeeded, NotPermitted, RecordRejected, RetryLater
from integrations.vendors.corrigopro import records
from integrations.vendors.corrigopro.client import GENERAL_FAILURE, Client, NotThere
from integrations.vendors.corrigopro.diagnosis import BRANCH, REGION
from integrations.vendors.corrigopro.papers import Papers
from integrations.vendors.corrigopro.streams import Associates

_SAMPLE_SPAN = timedelta(days=7)  # of orders, to find one to try its invoice, messages … with
_NOTHING_YET = "There is nothing yet to try it with."


class LiveTest:
    """Lists the customers (the cheapest test, says the guide), searches the orders of the last week, then asks for what
    hangs on one of each: one call a stream. Where a parent is refused, what hangs on it is not tried."""

    def __init__(self, access: Access) -> None:
        self._client, self._settings = Client(access), access.settings
        self._told: dict[str, Capability] = {}
        self._customer: int | None = None
        self._branch: int | None = None
        self._order: int | None = None

    def capabilities(self, streams: Iterable[Stream]) -> tuple[Capability, ...]:
        """Raises ConfigurationNeeded for a region that does not know the company and for a main branch it does not
        have, and what a sync would raise."""
        now = datetime.now(UTC)
        self._told["customers"] = _probe("customers", self._try_customers)
        self._told["work-orders"] = _probe("work-orders", lambda: self._try_orders(now))
        return tuple(self._told.get(stream.key) or self._try(stream) for stream in streams)

    def _try_customers(self) -> None:
        known = [found for raw in self._client.customers().items if (found := _customer(raw))]
        branches = sorted({branch for customer in known for branch in customer.branches})
        main = self._settings.get("branch_id")
        if main and branches and int(main) not in branches:
            # The main branch is what tells companies apart, so it must be one of this company's.
            raise ConfigurationNeeded(
                f"CorrigoPro knows no branch {main} behind these credentials. An administrator must compare the main "
                "branch id and the client id with CorrigoPro.",
                code=BRANCH,
                detail=f"branches {branches[:20]}",
            )
        self._customer = known[0].id if known else None
        self._branch = branches[0] if branches else None

    def _try_orders(self, now: datetime) -> None:
        raws = self._client.search("Created", now - _SAMPLE_SPAN, now).items
        self._order = next((order for raw in reversed(raws) if (order := _order(raw))), None)

    def _try(self, stream: Stream) -> Capability:
        hangs_on = self._told["work-orders" if isinstance(stream, Papers) else "customers"]
        if hangs_on.state != "available":
            return Capability(stream=stream.key, state=hangs_on.state, note=hangs_on.note)
        call = self._call(stream)
        return _probe(stream.key, call) if call else _unknown(stream.key)

    def _call(self, stream: Stream) -> Callable[[], object] | None:
        """What to ask for; None when there is nothing to ask about."""
        order, branch, customer = self._order, self._branch, self._customer
        if isinstance(stream, Papers):
            return None if order is None else lambda: stream.payloads(self._client, order)
        if isinstance(stream, Associates):
            return None if branch is None else lambda: self._client.associates(branch)
        return None if customer is None else lambda: self._client.customer_settings(customer)


def _probe(stream: str, call: Callable[[], object]) -> Capability:
    for is_last in (False, False, True):
        try:
            call()
        except NotPermitted as refusal:
            return Capability(stream=stream, state="not_permitted", note=refusal.words)
        except NotThere:
            return _unknown(stream)
        except RetryLater as failure:
            if failure.code != GENERAL_FAILURE:
                raise
            if is_last:
                # Asked at the wrong region, CorrigoPro answers 500 with code 1000, never 404 (guide).
                raise ConfigurationNeeded(
                    "CorrigoPro answers with its general failure (1000). Most often the region is wrong: an "
                    "administrator must open the CorrigoPro Direct settings page and compare the REST SERVICE URL "
                    "there with the one entered here. If they are the same, try again in some minutes.",
                    code=REGION,
                    detail=failure.detail,
                ) from failure
        else:
            break
    return Capability(stream=stream, state="available")


def _unknown(stream: str) -> Capability:
    return Capability(stream=stream, state="unknown", note=_NOTHING_YET)


def _customer(raw: bytes) -> records.Customer | None:
    try:
        return records.customer(raw)
    except RecordRejected:
        return None


def _order(raw: bytes) -> int | None:
    """The id of an order that can be asked about: for recalled ones CorrigoPro may answer with an error (3005)."""
    try:
        order = records.listed(raw)
    except RecordRejected:
        return None
    return None if order.status_word == "recalled" else order.work_order_id
