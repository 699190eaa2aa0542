"""CorrigoPro Direct: start reading here."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from integrations.contract import Access, Capability, Connector, Door, Settings, Tokens
from integrations.errors import ConfigurationNeeded, NotPermitted, RetryLater
from integrations.vendors.corrigopro import assumptions
from integrations.vendors.corrigopro.client import GENERAL_FAILURE, Client, ask_token
from integrations.vendors.corrigopro.forms import CorrigoProForm
from integrations.vendors.corrigopro.streams import Customers, WorkOrders


class CorrigoPro(Connector):
    """Signs in with client credentials; reads customers and work orders."""

    key = "corrigopro"
    label = "CorrigoPro"
    initials = "CP"
    colour = "#0f766e"
    summary = "Work orders your customers send you through Corrigo, with due dates, locations and limits."
    form = CorrigoProForm
    streams = (Customers(), WorkOrders())
    limit = assumptions.LIMIT
    token_timeout = assumptions.REQUEST_TIMEOUT
    renew_before = assumptions.RENEW_BEFORE

    def identity(self, settings: Settings) -> str:
        """Host and client id: CorrigoPro has no call that names the company behind a pair of credentials."""
        return f"{urlsplit(str(settings['rest_url'])).netloc.lower()} {settings['client_id']}"

    def request_token(self, door: Door) -> Tokens:
        return ask_token(door, self.token_timeout)

    def check(self, access: Access) -> tuple[Capability, ...]:
        """Lists the customers (the cheapest test, says the guide) and searches the orders of the last hour."""
        client, now = Client(access), datetime.now(UTC)
        return (
            _probe("customers", client.customers),
            _probe("work-orders", lambda: client.search("Created", now - timedelta(hours=1), now)),
        )


def _probe(stream: str, call: Callable[[], object]) -> Capability:
    for is_last in (False, False, True):
        try:
            call()
        except NotPermitted as refusal:
            return Capability(stream=stream, state="not_permitted", note=refusal.words)
        except RetryLater as failure:
            if failure.code != GENERAL_FAILURE:
                raise
            if is_last:
                # Asked at the wrong region, CorrigoPro answers 500 with code 1000, never 404 (guide).
                raise ConfigurationNeeded(
                    "CorrigoPro answers with its general failure (1000). Most often the region is wrong: an "
                    "administrator must open the CorrigoPro Direct settings page and compare the REST SERVICE URL "
                    "there with the one entered here. If they are the same, try again in some minutes.",
                    code="region",
                    detail=failure.detail,
                ) from failure
        else:
            break
    return Capability(stream=stream, state="available")
