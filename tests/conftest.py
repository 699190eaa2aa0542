"""The database as production has it: made and migrated by the owner, used by the tests as the app role."""

from collections.abc import Iterator

import pytest
from django.db import connection

APP_ROLE = "portal_app"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.Item) -> Iterator[None]:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        _become(APP_ROLE)
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        _become("portal_owner")  # who created the test database may drop it


def _become(role: str) -> None:
    connection.close()
    connection.settings_dict["OPTIONS"]["assume_role"] = role
