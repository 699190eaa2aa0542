"""CorrigoPro Direct: work orders that customers send to a service company."""

from integrations.vendors.corrigopro.connector import CorrigoPro

connector = CorrigoPro()
