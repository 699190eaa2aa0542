from tests.integrations.conftest import connect, serve

__all__ = ["connect", "serve"]
