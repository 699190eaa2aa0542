"""Lets one page send a form on to one vendor's sign-in page: browsers hold `form-action` against the redirect too."""

import re
from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from django.http import HttpResponse

from integrations.connections.authorization import redirect_uri
from integrations.connections.models import Connection
from integrations.contract import RedirectConnector

_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?")
R = TypeVar("R", bound=HttpResponse)


def sign_in_origin(connection: Connection) -> str:
    """Where the vendor's consent page is; "" when nobody signs in there or its address is no plain one."""
    connector = connection.connector
    if not isinstance(connector, RedirectConnector) or not connection.uses_redirect:
        return ""
    address = connector.authorization_url(
        connection.settings, redirect_uri=redirect_uri(connection.vendor), state="origin"
    )
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if _ORIGIN.fullmatch(origin) else ""


def allow_sign_in(response: R, connections: Iterable[Connection]) -> R:
    """Add those vendors' origins to the policy of this response only."""
    origins = sorted({origin for origin in map(sign_in_origin, connections) if origin})
    if origins:
        response._csp_update = {"form-action": origins}  # type: ignore[attr-defined]
    return response
