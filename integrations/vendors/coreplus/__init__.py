"""coreplus: appointments of allied health practices."""

from integrations.vendors.coreplus.connector import connector

__all__ = ["connector"]
