"""Roombook: rooms, desks and appointments in one stream."""

from collections.abc import Mapping

from integrations.contract import Column
from integrations.sources import Sources, at
from integrations.values import Kind
from tests.sample_vendor import SampleConnector, SampleStream


class Rooms(SampleStream):
    key, label = "rooms", "Rooms"
    columns = (Column(label="Room", path="name"),)


class Bookings(SampleStream):
    key, label, kind, parent = "bookings", "Bookings", Kind.BOOKING, "rooms"

    def sources(self, context: Mapping[str, str]) -> Sources:
        return {"title": at("Subject"), "starts_at": at("From", "Begin")}


class Roombook(SampleConnector):
    key, label, initials, colour = "roombook", "Roombook", "Rb", "#b45309"
    streams = (Bookings(), Rooms())


connector = Roombook()
