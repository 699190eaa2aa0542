"""The kit for vendors in a box, and the servers that run them. Used by the demo and the tests, never in production."""
