"""Ledger: billings, their payments, and the deals they belong to."""

from datetime import date

from integrations.contract import Column, Expiry, Settings
from integrations.values import Kind
from tests.sample_vendor import SampleConnector, SampleStream


class Billings(SampleStream):
    key, label, kind = "billings", "Billings", Kind.BILLING


class Payments(SampleStream):
    key, label, parent = "billing-payments", "Billing payments", "billings"
    columns = (
        Column(label="Payment", path="reference"),
        Column(label="Amount", path="amount", kind="money"),
        Column(label="Paid", path="date", kind="date"),
    )


class Deals(SampleStream):
    key, label = "deals", "Deals"
    columns = (Column(label="Deal", path="name"), Column(label="Partner", path="account.name"))


class Ledger(SampleConnector):
    key, label, initials, colour = "ledger", "Ledger", "Le", "#9d2f5d"
    streams = (Billings(), Payments(), Deals())

    def expiries(self, settings: Settings) -> tuple[Expiry, ...]:
        ends = settings.get("subscription_ends")
        if not ends:
            return ()
        what, cure = "The subscription to Ledger", "Prolong it at Ledger under Account, Plan."
        return (Expiry(key="subscription", what=what, ends_on=date.fromisoformat(ends), cure=cure),)


connector = Ledger()
