"""KORE Sponsorship, read only: start reading here."""

from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlsplit

from integrations.contract import Access, Capability, Connector, Door, Expiry, Limit, Settings, Tokens
from integrations.errors import NotBought, VendorChanged
from integrations.vendors.kore import assumptions, client, discovery
from integrations.vendors.kore.billings import Billings
from integrations.vendors.kore.deals import Deals
from integrations.vendors.kore.diagnosis import RULES
from integrations.vendors.kore.entities import AFTER_BILLINGS
from integrations.vendors.kore.forms import KoreForm
from integrations.vendors.kore.streams import KoreStream

NO_DEALS = "Deals are not enabled, so bills on draft deals cannot be told from bills that are owed."


class Kore(Connector):
    """Client credentials for a token of an hour, and beside it the API key that names the customer's data."""

    key = "kore"
    label = "KORE Sponsorship"
    initials = "KO"
    colour = "#9d2f5d"
    summary = "Brings your sponsorship deals, their billings and payments, inventory, expenses and calendar."
    form = KoreForm
    streams = (Deals(), Billings(), *AFTER_BILLINGS)
    # None is documented (assumption K-15).
    limit = Limit(
        calls=assumptions.CALLS_PER_SECOND,
        per=timedelta(seconds=1),
        burst=assumptions.CALLS_PER_SECOND,
        parallel=assumptions.PARALLEL_CALLS,
    )
    rules = RULES
    renew_before = assumptions.RENEW_BEFORE

    def identity(self, settings: Settings) -> str:
        """The API's host and the client id: the customer's own name is only told by the API key, which is secret."""
        return f"{urlsplit(str(settings['base_url'])).netloc.lower()}/{settings['client_id']}"

    def expiries(self, settings: Settings) -> tuple[Expiry, ...]:
        if not settings.get("key_ends_on"):
            return ()
        return (
            Expiry(
                key="api_key",
                what="The API key of KORE",
                ends_on=date.fromisoformat(str(settings["key_ends_on"])),
                cure="Ask whoever granted the key, KORE or the customer it belongs to, to prolong it, and enter "
                "the new end here.",
            ),
        )

    def request_token(self, door: Door) -> Tokens:
        return client.request_token(door, timeout=self.token_timeout)

    def check(self, access: Access) -> tuple[Capability, ...]:
        """One row of each entity: proves sign-in, key and licence, and shows which fields this customer has."""
        found = {stream.key: _probe(access, stream) for stream in self.streams if isinstance(stream, KoreStream)}
        bills = found["billings"]
        if found["deals"].state == "not_bought" and bills.state == "available":
            found["billings"] = replace(bills, note=f"{NO_DEALS} {bills.note}"[: discovery.MAX_NOTE])
        return tuple(found.values())


def _probe(access: Access, stream: KoreStream) -> Capability:
    try:
        rows = client.fetch_sample(access, stream.key)
    except NotBought:
        note = f"Ask KORE to enable “{stream.key}” of the Sponsorship API for your API key."
        return Capability(stream=stream.key, state="not_bought", note=note)
    except VendorChanged as change:
        return Capability(stream=stream.key, state="unknown", note=change.words)
    return discovery.capability(stream, access.settings, rows)


connector = Kore()
