"""What a connector declares: complete, and true of what its streams bring."""

import json
import random
import re
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.template.loader import render_to_string
from pytest_django import Settings as SettingsWrapper

from integrations.contract import Who
from integrations.errors import RecordRejected
from integrations.values import Billing, Booking, WorkOrder
from tests.integrations.contract.vendor import Shelf, Vendor

KINDS = {"text", "number", "money", "date", "instant", "wall", "flag"}


def test_every_generic_stream_names_its_columns_and_each_holds_something(box: Vendor, generic_key: str) -> None:
    stream = box.stream(generic_key)
    assert stream.columns
    rows = [json.loads(record.payload) for record in Shelf().put(box.pages(stream)).records.values()]
    for column in stream.columns:
        assert column.kind in KINDS
        assert any(at(row, column.path) not in (None, "") for row in rows), f"no record has {column.path}"


def at(row: Any, path: str) -> Any:
    for step in path.split("."):
        row = row.get(step) if isinstance(row, dict) else None
    return row


def test_a_parent_is_a_stream_of_the_same_vendor_and_its_records_are_there(box: Vendor, child_key: str) -> None:
    stream = box.stream(child_key)
    named = {record.parent_id for record in Shelf().put(box.pages(stream)).records.values()} - {""}
    assert named
    assert named & box.sandbox.holdings(stream.parent, 0)


def test_every_record_of_a_typed_stream_can_be_read(box: Vendor, typed_key: str) -> None:
    stream = box.stream(typed_key)
    for record in Shelf().put(box.pages(stream)).records.values():
        value = stream.interpret(record.payload, record.context)
        assert isinstance(value, WorkOrder | Booking | Billing)
        for name in ("opened_at", "changed_at", "due_at", "starts_at", "ends_at"):
            moment: datetime | None = getattr(value, name, None)
            assert moment is None or moment.tzinfo is not None, f"{name} is no moment"


def test_a_record_with_any_value_changed_is_read_or_rejected(box: Vendor, typed_key: str) -> None:
    stream, dice = box.stream(typed_key), random.Random(7)
    for record in list(Shelf().put(box.pages(stream)).records.values())[:15]:
        fields = json.loads(record.payload)
        for name in fields:
            changed = {
                **fields,
                name: dice.choice([None, "", "text", 0, -1, 1e308, True, [], {}, [{}], "9" * 400, "\0"]),
            }
            with suppress(RecordRejected):
                assert isinstance(
                    stream.interpret(json.dumps(changed).encode(), record.context), WorkOrder | Booking | Billing
                )


def test_its_letter_its_setup_page_and_its_mark_are_there(box: Vendor) -> None:
    key = box.connector.key
    facts = {
        "tenant": "Harbour Care",
        "person": "Mara Okafor",
        "settings": {},
        "redirect_uri": f"https://portal.example/oauth/callback/{key}/",
        "site_url": "https://portal.example",
    }
    letter = render_to_string(f"{key}/letter.txt", facts)
    subject, _, body = letter.strip().partition("\n")
    assert 0 < len(subject) <= 120
    assert "Harbour Care" in letter
    assert len(body.strip()) > 200
    assert not re.search("<h[1-6]", render_to_string(f"{key}/setup.html", facts))  # it stands below a heading of ours
    assert len(box.connector.initials) == 2
    assert box.connector.summary.endswith(".")


def test_its_rules_name_a_cause_a_cure_and_who_must_do_it(box: Vendor) -> None:
    rules = box.connector.rules
    assert rules
    keys = [rule.diagnosis.key for rule in rules]
    assert len(keys) == len(set(keys))
    for rule in rules:
        assert rule.codes
        assert rule.diagnosis.cause.endswith(".")
        assert rule.diagnosis.cure.endswith(".")
        assert rule.diagnosis.who in Who


def test_what_opens_an_account_fits_the_form_and_comes_back_from_it(box: Vendor, settings: SettingsWrapper) -> None:
    parts = urlsplit(box.sandbox.url)
    settings.SANDBOX_ADDRESSES = frozenset({(parts.hostname, parts.port)})
    for account in range(len(box.sandbox.account_names)):
        vendor_settings, secrets = box.sandbox.demo_setup(account)
        form = box.connector.form({"name": "Head office", **vendor_settings, **secrets})
        assert form.is_valid(), form.errors
        assert json.loads(json.dumps(form.vendor_settings())) == vendor_settings
        assert form.entered_secrets() == secrets


def test_an_account_that_is_not_there_has_no_setup(box: Vendor) -> None:
    with pytest.raises(IndexError):
        box.sandbox.demo_setup(len(box.sandbox.account_names))


def test_the_sandbox_names_its_accounts(box: Vendor) -> None:
    assert len(box.sandbox.account_names) >= 2
