"""Condeco (Eptura Engage): meeting rooms and their bookings."""

from integrations.vendors.condeco.connector import connector

__all__ = ["connector"]
