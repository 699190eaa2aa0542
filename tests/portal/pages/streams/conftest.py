from tests.page_fixtures import *  # noqa: F403 - the fixtures of all page tests
