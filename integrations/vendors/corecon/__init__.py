"""Corecon: construction projects, companies and labor timecards."""

from integrations.vendors.corecon.connector import CoreconConnector

connector = CoreconConnector()
