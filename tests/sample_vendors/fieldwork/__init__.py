"""Fieldwork: work orders, their notes, and the sites they are at."""

from collections.abc import Mapping
from datetime import timedelta

from integrations.contract import Column
from integrations.sources import Sources, at, told
from integrations.values import Kind
from tests.sample_vendor import SampleConnector, SampleStream


class WorkOrders(SampleStream):
    key, label, kind, interval = "work-orders", "Work orders", Kind.WORK_ORDER, timedelta(minutes=5)

    def sources(self, context: Mapping[str, str]) -> Sources:
        return {
            "number": at("Number"),
            "status": at("State.Word", "Closed", how="closed once that is set"),
            "due_at": at("Sla.DueBy"),
            "customer": told("the customer of the whole connection", "customer"),
        }


class Notes(SampleStream):
    key, label, parent = "notes", "Notes", "work-orders"
    columns = (Column(label="Note", path="Text"), Column(label="By", path="Author.Name"))


class Sites(SampleStream):
    key, label = "sites", "Sites"
    columns = (
        Column(label="Site", path="Name"),
        Column(label="City", path="Address.City", is_filter=True),
        Column(label="Opened", path="Opened", kind="date"),
        Column(label="Checked", path="CheckedAt", kind="instant"),
        Column(label="Rent", path="Rent", kind="money"),
        Column(label="Floors", path="Floors", kind="number"),
        Column(label="Staffed", path="IsStaffed", kind="flag"),
    )


class Fieldwork(SampleConnector):
    key, label, initials, colour = "fieldwork", "Fieldwork", "Fw", "#0f766e"
    streams = (WorkOrders(), Notes(), Sites())


connector = Fieldwork()
