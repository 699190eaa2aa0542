"""The vault opens what it sealed, where it sealed it, and nothing else."""

import base64
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connections.vault import CannotOpen, Keyring

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
PLACE = {"tenant": 1, "connection": "c", "field": "client_secret"}


@given(st.text())
def test_what_was_sealed_opens_again(secret: str) -> None:
    ring = Keyring({1: KEY})
    assert ring.open(ring.seal(secret, **PLACE), **PLACE) == secret


@pytest.mark.parametrize("change", [{"tenant": 2}, {"connection": str(uuid4())}, {"field": "api_key"}])
def test_a_value_moved_elsewhere_does_not_open(change: dict[str, object]) -> None:
    ring = Keyring({1: KEY})
    sealed = ring.seal("hush", **PLACE)
    with pytest.raises(CannotOpen):
        ring.open(sealed, **{**PLACE, **change})


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_an_altered_value_does_not_open(position: int, flip: int) -> None:
    ring = Keyring({1: KEY})
    sealed = bytearray(ring.seal("hush", **PLACE))
    sealed[position % len(sealed)] ^= flip
    with pytest.raises(CannotOpen):
        ring.open(bytes(sealed), **PLACE)


def test_a_new_first_key_seals_while_the_old_one_still_opens() -> None:
    old = Keyring({1: KEY}).seal("hush", **PLACE)
    both = Keyring({2: OTHER, 1: KEY})

    assert both.open(old, **PLACE) == "hush"
    assert both.is_stale(old)
    assert not both.is_stale(both.seal("hush", **PLACE))
    with pytest.raises(CannotOpen):
        Keyring({2: OTHER}).open(old, **PLACE)


def test_the_secret_is_not_in_the_sealed_value() -> None:
    sealed = Keyring({1: KEY}).seal("hush-hush-hush", **PLACE)
    assert b"hush" not in sealed
    assert b"hush" not in base64.b64encode(sealed)
