"""Whose clock a page shows: the reader's own zone, else the tenant's, else UTC."""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

_REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


def zone_of(request: HttpRequest) -> ZoneInfo:
    """A name that is not (or no longer) known is passed over."""
    membership = getattr(request, "membership", None)
    user = getattr(request, "user", None)
    for name in (getattr(user, "time_zone", ""), membership.tenant.time_zone if membership else ""):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def city_of(zone: ZoneInfo) -> str:
    """How a person calls the zone: "Chicago" for America/Chicago."""
    return zone.key.rpartition("/")[2].replace("_", " ")


@cache
def zone_choices() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Every zone people live in, by region, for a select."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, _, city = name.partition("/")
        if region in _REGIONS:
            regions.setdefault(region, []).append((name, city.replace("_", " ")))
    return (("Everywhere", (("UTC", "UTC"),)), *((region, tuple(zones)) for region, zones in regions.items()))


class ZoneMiddleware:
    """Activates the reader's zone for the request, forms included. Stands behind the one that finds the tenant."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_of(request)):
            return self.get_response(request)
