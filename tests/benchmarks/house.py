"""The servers, the database and Django for a benchmark."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from portal.launcher import embedded, environment
from portal.launcher.state import CHECKOUT, prepare, state_directory


@contextmanager
def house(name: str) -> Iterator[None]:
    """Django set up as the app role on a database of this benchmark's own, `bench_<name>`, which stays for the next
    time. On the servers of DATABASE_URL and REDIS_URL where given, else on an embedded pair that syncs its writes."""
    with ExitStack() as stack:
        state = prepare(state_directory(os.environ) / "bench")
        os.environ.update(
            STATE_DIR=str(state),
            ALLOWED_HOSTS="*",
            DEMO="on",
            EMAIL_URL="memorymail://",
            SITE_URL="http://localhost:8000",
            STATIC_STORAGE="django.contrib.staticfiles.storage.StaticFilesStorage",
            **environment.keys(state),
        )
        if not environment.has_servers(os.environ):
            servers = stack.enter_context(embedded.attach_or_start(state))
            os.environ.update(DATABASE_URL=servers.database_url, REDIS_URL=servers.redis_url)
        _make_database(f"bench_{name}")
        os.environ["DATABASE_ROLE"] = "portal_app"
        import django

        django.setup()
        yield


def _make_database(name: str) -> None:
    given = urlsplit(os.environ["DATABASE_URL"])
    own = given._replace(path=f"/{name}").geturl()
    with psycopg.connect(given.geturl(), autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    os.environ["DATABASE_URL"] = own
    for role, command in (("", "setup_database"), ("portal_owner", "migrate")):
        subprocess.run(
            [sys.executable, CHECKOUT / "manage.py", command],
            env=os.environ | {"DATABASE_ROLE": role},
            stdout=subprocess.DEVNULL,
            check=True,
        )
