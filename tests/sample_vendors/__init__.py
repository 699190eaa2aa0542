"""Vendors that exist in no town: what the pages are tested with, so that no page test names a real one.

The fixture `sample_vendors` puts this folder in the place of `integrations.vendors`, where the registry looks.
"""
