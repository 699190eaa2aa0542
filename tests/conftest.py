"""The database as production has it: made and migrated by the owner, used by the tests as the app role."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

APP_ROLE, OWNER_ROLE = "portal_app", "portal_owner"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chaos", "how much is killed in tests/chaos")
    group.addoption("--kills", type=int, default=20)
    group.addoption("--records", type=int, default=600, help="billings at KORE; the other vendors' follow")
    group.addoption("--refreshes", type=int, default=30)
    group.addoption("--kill-seed", type=int, default=0, help="0: a new one each time, printed")


def pytest_configure() -> None:
    """A password is slow to hash on purpose, which no test is about."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        _become(APP_ROLE)
    TransactionTestCase._fixture_teardown = _flush_as_owner  # type: ignore[method-assign]
    yield
    with django_db_blocker.unblock():
        _become(OWNER_ROLE)  # who created the test database may drop it


def _become(role: str) -> None:
    connection.close()
    connection.settings_dict["OPTIONS"]["assume_role"] = role


_KEPT = {"django_content_type", "auth_permission", "django_migrations"}  # the same in every test


def _flush_as_owner(_test: TransactionTestCase) -> None:
    """Tests that commit are cleaned up by TRUNCATE, which the app role rightly may not; only what holds rows, for an
    empty table takes as long as a full one. Django's own way would make the permissions anew each time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public'")
        tables = {row[0] for row in cursor.fetchall()} - _KEPT
        cursor.execute("set local role portal_ops")  # the owner sees no rows through the walls
        looks = (f"select '{table}' where exists (select from {table})" for table in sorted(tables))
        cursor.execute(" union all ".join(looks))
        filled = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"set local role {OWNER_ROLE}")
        if filled:
            cursor.execute(f"truncate {', '.join(filled)} restart identity cascade")
        cursor.execute(f"set local role {APP_ROLE}")
