"""What the frame around every page needs: the tenant, its neighbours, the navigation."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from portal.pages.links import home_of, tenant_url
from portal.pages.overview.queries import nav_counts
from portal.pages.zones import city_of, zone_of
from portal.tenancy.models import Membership, Role
from portal.tenancy.services import memberships_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation. `alert` is said where something needs a person; `count` is shown otherwise."""

    label: str
    icon: str
    href: str
    is_current: bool
    alert: str = ""
    count: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    label: str
    has_heading: bool
    entries: list[Entry]


_DATA = (
    ("overview", "Overview", "house", Role.VIEWER),
    ("work-orders", "Work orders", "wrench", Role.VIEWER),
    ("bookings", "Bookings", "calendar", Role.VIEWER),
    ("billings", "Billings", "receipt-text", Role.VIEWER),
    ("record-streams", "All records", "table-2", Role.VIEWER),
)
_MANAGE = (
    ("connections", "Connections", "plug", Role.VIEWER),
    ("activity", "Activity", "logs", Role.VIEWER),
    ("people", "People", "users", Role.VIEWER),
    ("tenant-settings", "Settings", "settings", Role.ADMIN),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Cheap until a template asks: what costs a query is worked out on first use."""
    user = getattr(request, "user", None)
    membership: Membership | None = getattr(request, "membership", None)
    zone = zone_of(request)
    facts: dict[str, Any] = {"zone": zone.key, "zone_city": city_of(zone)}
    if user is not None and user.is_authenticated:
        known = getattr(request, "memberships", None)  # below /t/<slug>/
        facts["memberships"] = SimpleLazyObject(lambda: memberships_of(user)) if known is None else known
    if membership is not None:
        facts |= {
            "membership": membership,
            "tenant": membership.tenant,
            "home_url": home_of(membership.tenant),
            "nav": SimpleLazyObject(lambda: navigation(request, membership)),
        }
    return facts


def navigation(request: HttpRequest, membership: Membership) -> list[Section]:
    """What the person may open; a page that does not exist (yet) is left out."""
    found = nav_counts(membership.tenant_id)
    alerts = {"connections": _problem_words(found.problems)}
    counts = {
        name: f"{number:,}" if isinstance(number, int) else number for name, number in found.pages.items() if number
    }
    return [
        Section(label, has_heading, _entries(request, membership, wanted, alerts, counts))
        for label, has_heading, wanted in (("Data", False, _DATA), ("Manage", True, _MANAGE))
    ]


def _entries(
    request: HttpRequest,
    membership: Membership,
    wanted: tuple[tuple[str, str, str, Role], ...],
    alerts: dict[str, str],
    counts: dict[str, str],
) -> list[Entry]:
    entries = []
    for name, label, icon, role in wanted:
        if not membership.can(role):
            continue
        try:
            href = tenant_url(request, name)
        except NoReverseMatch:
            continue
        is_home = name == "overview"
        is_current = request.path == href if is_home else request.path.startswith(href.rstrip("/"))
        entries.append(Entry(label, icon, href, is_current, alerts.get(name, ""), counts.get(name, "")))
    return entries


def _problem_words(number: int) -> str:
    return "" if not number else f"{number} {'problem needs' if number == 1 else 'problems need'} a person"


_ACCOUNT = (
    ("account", "Profile", "user-round"),
    ("account_email", "E-mail address", "mail"),
    ("account_change_password", "Password", "key-round"),
    ("mfa_index", "Two-step sign-in", "shield-check"),
    ("usersessions_list", "Sessions", "monitor-smartphone"),
)


def account_navigation(request: HttpRequest) -> list[Entry]:
    """The pages of a person's own account."""
    return [Entry(label, icon, reverse(name), request.path.startswith(reverse(name))) for name, label, icon in _ACCOUNT]
