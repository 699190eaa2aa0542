"""A vendor of the engine's own tests, put in the place of `integrations.vendors`."""
