"""KORE Sponsorship, read only: start reading here."""

from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from integrations.contract import Access, Capability, Connector, Door, Limit, Settings, Tokens
from integrations.errors import NotPermitted, VendorChanged
from integrations.vendors.kore import assumptions, client
from integrations.vendors.kore.forms import KoreForm
from integrations.vendors.kore.streams import BillingPayments, Billings, Deals, KoreStream


class Kore(Connector):
    """Client credentials for a token of an hour, and beside it the API key that names the customer's data."""

    key = "kore"
    label = "KORE Sponsorship"
    initials = "KO"
    colour = "#9d2f5d"
    summary = "Brings your sponsorship deals, their billings and the payments received."
    form = KoreForm
    # In this order children mostly find their parents there already.
    streams = (Deals(), Billings(), BillingPayments())
    # None is documented (assumption K-15).
    limit = Limit(
        calls=assumptions.CALLS_PER_SECOND,
        per=timedelta(seconds=1),
        burst=assumptions.CALLS_PER_SECOND,
        parallel=assumptions.PARALLEL_CALLS,
    )
    renew_before = assumptions.RENEW_BEFORE

    def identity(self, settings: Settings) -> str:
        """The API's host and the client id: the customer's own name is only told by the API key, which is secret."""
        return f"{urlsplit(str(settings['base_url'])).netloc.lower()}/{settings['client_id']}"

    def request_token(self, door: Door) -> Tokens:
        return client.request_token(door, timeout=self.token_timeout)

    def check(self, access: Access) -> tuple[Capability, ...]:
        """One row of each entity: proves sign-in, key and licence, and shows which fields this customer has."""
        return tuple(_probe(access, stream) for stream in self.streams if isinstance(stream, KoreStream))


def _probe(access: Access, stream: KoreStream) -> Capability:
    try:
        rows = client.fetch_sample(access, stream.key)
    except NotPermitted:
        return Capability(
            stream=stream.key, state="not_permitted", note=f"Ask KORE to enable “{stream.key}” for your API key."
        )
    except VendorChanged as change:
        return Capability(stream=stream.key, state="unknown", note=change.words)
    return Capability(stream=stream.key, state="available", note=_missing(rows, stream))


def _missing(rows: list[msgspec.Raw], stream: KoreStream) -> str:
    """Which of our values KORE does not give for this customer: all names are assumed (K-7)."""
    if not rows:
        return "No records yet."
    try:
        keys = msgspec.json.decode(rows[0], type=dict[str, msgspec.Raw]).keys()
    except (msgspec.DecodeError, RecursionError):
        return ""
    missing = [name for name, candidates in stream.fields.items() if keys.isdisjoint(candidates)]
    return f"Not provided by KORE: {', '.join(missing)}." if missing else ""


connector = Kore()
