"""Secrets are planted everywhere they can enter, and looked for everywhere they could come out."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.conf import settings as site
from django.test import Client
from pytest_django import Settings

from integrations.connections.models import Connection
from integrations.contract import Connector
from integrations.registry import connectors
from integrations.sandbox.kit import Fault, Sandbox
from integrations.sync.models import SyncRun
from integrations.sync.services import start_sync
from portal.accounts.models import User
from portal.launcher import binaries
from portal.tenancy.scope import tenant_scope
from tests import plugin
from tests.chaos.crew import Crew, environment
from tests.chaos.test_kills import wait_for
from tests.factories import a_tenant, a_user
from tests.integrations.conftest import Connect, Serve, connect, serve

__all__ = ["connect", "serve"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
VENDORS = sorted(set(connectors()) - {"corecon"})  # corecon signs in by a person; its keys are planted through the form


def planted_in(sandbox: Sandbox) -> set[str]:
    """What the setup form takes as secret, and every token the vendor gave out."""
    return {*sandbox.demo_setup(0)[1].values(), *sandbox.tokens._tokens}


def test_no_planted_secret_comes_out_anywhere(
    serve: Serve,
    connect: Connect,
    settings: Settings,
    tmp_path: Path,
    signed_in: Callable[[User], Client],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    settings.SITE_URL = "http://localhost:8000"
    owner = a_user(is_staff=True, is_superuser=True)
    tenant = a_tenant(owner=owner)
    boxes = {vendor: serve(vendor, sizes=(30, 10)) for vendor in VENDORS}
    connections = [connect(box, tenant=tenant) for box in boxes.values()]
    crew = Crew(environment({vendor: box.url for vendor, box in boxes.items()}), tmp_path, workers=1)
    crew.start()
    try:
        wait_for(lambda: all(map(all_done, connections)), crew)
        secrets = {secret for box in boxes.values() for secret in planted_in(box)} | {"planted-in-a-form"}
        assert all(box.tokens._tokens for vendor, box in boxes.items() if gives_tokens(vendor))
        for mishap in (lambda box: box.weather.add(Fault(status=500, times=2)), lambda box: box.revoke()):
            for box, connection in zip(boxes.values(), connections, strict=True):
                mishap(box)
                with tenant_scope(tenant.pk):
                    start_sync(connection, by=None, stream=connection.connector.streams[0].key)
            wait_for(lambda: all(map(all_done, connections)), crew)
        places = {"worker log": crew.log, "broker": everything_in_redis()}
    finally:
        crew.stop()

    places |= {"own log": caplog.text, "dump": dump_of_the_database(tmp_path)}
    places |= pages(signed_in(owner), tenant.slug, connections)
    places |= refused_form(signed_in(owner), tenant.slug)
    found = {(secret[:6] + "…", place) for secret in secrets for place, text in places.items() if secret in text}
    assert found == set()
    assert all(places.values())


def gives_tokens(vendor: str) -> bool:
    return type(connectors()[vendor]).request_token is not Connector.request_token


def all_done(connection: Connection) -> bool:
    with tenant_scope(connection.tenant_id):
        return not SyncRun.objects.filter(connection=connection, finished_at=None, state__in=["queued", "running"])


def everything_in_redis() -> str:
    text = "redis:"
    for number in range(3):
        server = redis.Redis.from_url(site.LIMITS_URL.rsplit("/", 1)[0] + f"/{number}")
        for key in server.scan_iter():
            try:
                text += f"{key!r} {server.dump(key)!r}"
            except redis.ResponseError:
                continue
    return text


def dump_of_the_database(directory: Path) -> str:
    """pg_dump of everything, as a thief of a backup has it."""
    own = binaries.usable(plugin.servers.home).postgres / "pg_dump" if plugin.servers else None
    program = own or shutil.which("pg_dump")
    assert program, "pg_dump is needed to look into a dump"
    address = environment({})["DATABASE_URL"]
    target = directory / "dump.sql"
    subprocess.run([program, address, "--file", target], check=True, capture_output=True)
    return target.read_text()


def pages(browser: Client, slug: str, connections: list[Connection]) -> dict[str, str]:
    addresses = [f"/t/{slug}/", f"/t/{slug}/connections/", f"/t/{slug}/activity/", f"/t/{slug}/activity/audit/"]
    addresses += ["/admin/", "/admin/connections/connection/", "/admin/connections/tokenrefresh/"]
    for connection in connections:
        here = f"/t/{slug}/connections/{connection.pk}/"
        addresses += [here, *(here + tab for tab in ("history/", "requests/", "credentials/", "edit/"))]
        addresses.append(f"/admin/connections/connection/{connection.pk}/change/")
    found = {}
    for address in addresses:
        answer = browser.get(address, follow=True)
        assert answer.status_code == 200, address
        found[address] = answer.content.decode()
    return found


def refused_form(browser: Client, slug: str) -> dict[str, str]:
    """What was typed into a form that is refused does not come back, and an error page shows nothing of it."""
    typed = {"name": "", "client_id": "x", "client_secret": "planted-in-a-form", "api_key": "planted-in-a-form"}
    refused = browser.post(f"/t/{slug}/connections/new/kore/", typed)
    broken = browser.post("/oauth/callback/corecon/?code=planted-in-a-form&state=planted-in-a-form")
    callback = browser.get("/oauth/callback/corecon/?code=planted-in-a-form&state=planted-in-a-form", follow=True)
    return {
        "refused form": refused.content.decode(),
        "wrong method": f"{broken.status_code} {broken.content.decode()}",
        "failed callback": callback.content.decode(),
    }
