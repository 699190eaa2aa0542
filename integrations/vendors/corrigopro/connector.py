"""CorrigoPro Direct: start reading here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from integrations.contract import Access, Capability, Connector, Door, Expiry, Settings, Stream, Tokens
from integrations.errors import ConfigurationNeeded, NotPermitted, RecordRejected, RetryLater
from integrations.vendors.corrigopro import assumptions, records
from integrations.vendors.corrigopro.client import GENERAL_FAILURE, Client, NotThere, ask_token
from integrations.vendors.corrigopro.diagnosis import BRANCH, REGION, RULES
from integrations.vendors.corrigopro.forms import CorrigoProForm
from integrations.vendors.corrigopro.orders import WorkOrders
from integrations.vendors.corrigopro.papers import (
    Attachments,
    Invoices,
    Messages,
    Papers,
    Procedures,
    ProcedureSteps,
)
from integrations.vendors.corrigopro.streams import Associates, Customers, CustomerSettings

_SAMPLE_SPAN = timedelta(days=7)  # of orders to find one to try its invoice, messages … with


class CorrigoPro(Connector):
    """Signs in with client credentials; reads customers, work orders and what hangs on them."""

    key = "corrigopro"
    label = "CorrigoPro"
    initials = "CP"
    colour = "#0f766e"
    summary = "Work orders your customers send you through Corrigo, with their invoices, messages and files' names."
    form = CorrigoProForm
    streams = (
        Customers(),
        CustomerSettings(),
        WorkOrders(),
        Invoices(),
        Attachments(),
        Messages(),
        Procedures(),
        ProcedureSteps(),
        Associates(),
    )
    limit = assumptions.LIMIT
    rules = RULES
    token_timeout = assumptions.REQUEST_TIMEOUT
    renew_before = assumptions.RENEW_BEFORE

    def identity(self, settings: Settings) -> str:
        """REST host and main branch where one is entered, else client id: no call of CorrigoPro's names the company
        behind a pair of credentials, but its branches it has for good."""
        host = urlsplit(str(settings["rest_url"])).netloc.lower()
        branch = settings.get("branch_id")
        return f"{host} branch {branch}" if branch else f"{host} {settings['client_id']}"

    def expiries(self, settings: Settings) -> tuple[Expiry, ...]:
        ends_on = str(settings.get("subscription_ends_on") or "")
        if not ends_on:
            return ()
        return (
            Expiry(
                key="subscription",
                what="The CorrigoPro Direct subscription",
                ends_on=date.fromisoformat(ends_on),
                cure="Have it renewed with CorrigoPro, then enter its new end in the connection's settings.",
            ),
        )

    def request_token(self, door: Door) -> Tokens:
        return ask_token(door, self.token_timeout)

    def check(self, access: Access) -> tuple[Capability, ...]:
        """Lists the customers (the cheapest test, says the guide), searches the orders of the last week, then asks for
        what hangs on one of each. Where a parent is refused, what hangs on it is not tried.

        Raises ConfigurationNeeded for a region that does not know the company, and for a main branch it does not have.
        """
        client, now = Client(access), datetime.now(UTC)
        customers = _probe("customers", client.customers)
        known = [found for raw in customers.found if (found := _customer(raw))]
        branches = sorted({branch for customer in known for branch in customer.branches})
        _check_branch(access.settings, branches, is_told=customers.is_available)
        orders = _probe("work-orders", lambda: client.search("Created", now - _SAMPLE_SPAN, now))
        sample = next((order for raw in reversed(orders.found) if (order := _order(raw))), None)
        probes = {"customers": customers, "work-orders": orders}
        for stream in self.streams:
            if stream.key not in probes:
                probes[stream.key] = _try(stream, client, customers, orders, known, branches, sample)
        return tuple(probes[stream.key].capability for stream in self.streams)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probe:
    capability: Capability
    found: list[msgspec.Raw]

    @property
    def is_available(self) -> bool:
        return self.capability.state == "available"


def _try(
    stream: Stream,
    client: Client,
    customers: _Probe,
    orders: _Probe,
    known: list[records.Customer],
    branches: list[int],
    sample: int | None,
) -> _Probe:
    parent = orders if isinstance(stream, Papers) else customers
    if not parent.is_available:
        return _untried(stream, parent.capability.state, parent.capability.note)
    if isinstance(stream, Papers):
        if sample is not None:
            return _probe(stream.key, lambda: stream.payloads(client, sample))
    elif isinstance(stream, Associates):
        if branches:
            return _probe(stream.key, lambda: client.associates(branches[0]))
    elif known:
        return _probe(stream.key, lambda: client.customer_settings(known[0].id))
    return _untried(stream, "unknown", "There is nothing yet to try it with.")


def _untried(stream: Stream, state: str, note: str) -> _Probe:
    return _Probe(capability=Capability(stream=stream.key, state=state, note=note), found=[])


def _probe(stream: str, call: Callable[[], object]) -> _Probe:
    found: object = None
    for is_last in (False, False, True):
        try:
            found = call()
        except NotPermitted as refusal:
            return _Probe(capability=Capability(stream=stream, state="not_permitted", note=refusal.words), found=[])
        except NotThere:
            return _Probe(
                capability=Capability(stream=stream, state="unknown", note="There is nothing yet to try it with."),
                found=[],
            )
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
    return _Probe(
        capability=Capability(stream=stream, state="available"), found=found if isinstance(found, list) else []
    )


def _check_branch(settings: Settings, branches: list[int], *, is_told: bool) -> None:
    """The main branch tells companies apart, so it must be one of this company's."""
    branch = settings.get("branch_id")
    if branch and is_told and branches and int(branch) not in branches:
        raise ConfigurationNeeded(
            f"CorrigoPro knows no branch {branch} behind these credentials. An administrator must compare the main "
            "branch id and the client id with CorrigoPro.",
            code=BRANCH,
            detail=f"branches {branches[:20]}",
        )


def _customer(raw: msgspec.Raw) -> records.Customer | None:
    try:
        return records.customer(bytes(raw))
    except RecordRejected:
        return None


def _order(raw: msgspec.Raw) -> int | None:
    """The id of an order that can be asked about: recalled ones answer with an error."""
    try:
        order = records.listed(bytes(raw))
    except RecordRejected:
        return None
    return None if order.status_word == "recalled" else order.work_order_id
