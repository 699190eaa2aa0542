"""The database as production has it: made and migrated by the owner, used by the tests as the app role."""

from collections.abc import Iterator, Sequence

import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

APP_ROLE, OWNER_ROLE = "portal_app", "portal_owner"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        _become(APP_ROLE)
    connection.ops.execute_sql_flush = _flush_as_owner  # type: ignore[method-assign]
    yield
    with django_db_blocker.unblock():
        _become(OWNER_ROLE)  # who created the test database may drop it


def _become(role: str) -> None:
    connection.close()
    connection.settings_dict["OPTIONS"]["assume_role"] = role


def _flush_as_owner(sql_list: Sequence[str]) -> None:
    """Tests that commit are cleaned up by TRUNCATE, which the app role rightly may not."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"set local role {OWNER_ROLE}")
        for sql in sql_list:
            cursor.execute(sql)
        cursor.execute(f"set local role {APP_ROLE}")
