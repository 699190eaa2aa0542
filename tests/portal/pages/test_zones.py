from types import SimpleNamespace

import pytest

from portal.pages.zones import city_of, zone_of


@pytest.mark.parametrize(
    ("own", "tenants", "zone"),
    [
        ("Europe/Berlin", "America/Chicago", "Europe/Berlin"),
        ("", "America/Chicago", "America/Chicago"),
        ("Moon/Base", "America/Chicago", "America/Chicago"),
        ("../etc/passwd", "", "UTC"),
    ],
)
def test_the_readers_own_zone_comes_first_and_a_wrong_name_is_passed_over(own, tenants, zone):
    request = SimpleNamespace(
        user=SimpleNamespace(time_zone=own), membership=SimpleNamespace(tenant=SimpleNamespace(time_zone=tenants))
    )
    assert zone_of(request).key == zone


def test_a_zone_is_called_by_its_city():
    request = SimpleNamespace(user=SimpleNamespace(time_zone="America/New_York"), membership=None)
    assert city_of(zone_of(request)) == "New York"
