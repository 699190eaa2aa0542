"""Starts what Switchboard stands on: the embedded servers of a checkout, and the demo as a whole.

Nothing here imports Django: it runs before the settings can be loaded, because it provides what they read.
"""
