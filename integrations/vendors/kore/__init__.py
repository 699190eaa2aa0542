"""KORE Sponsorship: deals, billings and their payments, read only."""

from integrations.vendors.kore.connector import connector

__all__ = ["connector"]
