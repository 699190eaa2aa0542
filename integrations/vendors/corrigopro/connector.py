"""CorrigoPro Direct: start reading here."""

from datetime import date
from urllib.parse import urlsplit

from integrations.contract import Access, Capability, Connector, Door, Expiry, Settings, Tokens
from integrations.vendors.corrigopro import assumptions
from integrations.vendors.corrigopro.client import ask_token
from integrations.vendors.corrigopro.diagnosis import RULES
from integrations.vendors.corrigopro.forms import CorrigoProForm
from integrations.vendors.corrigopro.live import LiveTest
from integrations.vendors.corrigopro.orders import WorkOrders
from integrations.vendors.corrigopro.papers import Attachments, Invoices, Messages, Procedures, ProcedureSteps
from integrations.vendors.corrigopro.streams import Associates, Customers, CustomerSettings


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

    def is_same_account(self, before: Settings, after: Settings) -> bool:
        """A main branch may be entered later, beside the client id that worked so far."""
        ours = before if before.get("branch_id") else {**before, "branch_id": after.get("branch_id")}
        is_pair_kept = bool(before.get("branch_id")) or before["client_id"] == after["client_id"]
        return is_pair_kept and self.identity(ours) == self.identity(after)

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
        return LiveTest(access).capabilities(self.streams)
