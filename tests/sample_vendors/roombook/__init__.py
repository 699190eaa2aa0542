"""Roombook: rooms, desks and appointments in one stream."""

from integrations.values import Kind
from tests.sample_vendor import SampleConnector, SampleStream


class Bookings(SampleStream):
    key, label, kind = "bookings", "Bookings", Kind.BOOKING


class Roombook(SampleConnector):
    key, label, initials, colour = "roombook", "Roombook", "Rb", "#b45309"
    streams = (Bookings(),)


connector = Roombook()
