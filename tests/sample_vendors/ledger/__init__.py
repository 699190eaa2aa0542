"""Ledger: billings, their payments, and the deals they belong to."""

from integrations.contract import Column
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


connector = Ledger()
