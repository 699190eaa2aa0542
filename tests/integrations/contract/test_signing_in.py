"""Every documented way in, what each stream may read, and what is said when the door is shut."""

import pytest

from integrations.errors import ConfigurationNeeded, NotPermitted, ReconnectNeeded
from tests.integrations.contract.vendor import Vendor, read

STATES = {"available", "not_permitted", "not_bought", "unknown"}


def test_it_signs_in_in_every_documented_way(box: Vendor) -> None:
    ways = box.sandbox.sign_ins(0)
    assert ways
    for way, (settings, secrets) in ways.items():
        found = box.connector.check(box.opened(settings, secrets))
        assert any(capability.state == "available" for capability in found), way


def test_the_live_test_tells_of_every_stream_once(box: Vendor) -> None:
    found = box.connector.check(box.access())
    assert sorted(capability.stream for capability in found) == sorted(stream.key for stream in box.connector.streams)
    assert {capability.state for capability in found} <= STATES
    assert all(capability.note for capability in found if capability.state in {"not_permitted", "not_bought"})


def test_what_is_not_allowed_is_told_for_its_stream_alone(fresh: Vendor, stream_key: str) -> None:
    access = fresh.access()
    fresh.sandbox.refuse(stream_key)
    capability = next(one for one in fresh.connector.check(access) if one.stream == stream_key)
    assert capability.state in {"not_permitted", "not_bought"}
    assert capability.note
    with pytest.raises(NotPermitted):
        read(fresh, fresh.stream(stream_key))


def test_one_account_refused_leaves_the_other_alone(fresh: Vendor) -> None:
    before = fresh.connector.check(fresh.access(1))
    fresh.sandbox.refuse(fresh.connector.streams[0].key, 0)
    assert fresh.connector.check(fresh.access(1)) == before


def test_worthless_credentials_ask_for_a_person(fresh: Vendor) -> None:
    fresh.connector.check(fresh.access())
    fresh.sandbox.revoke(0)
    with pytest.raises((ReconnectNeeded, ConfigurationNeeded)):
        read(fresh, fresh.connector.streams[0])
    assert fresh.connector.check(fresh.access(1))
