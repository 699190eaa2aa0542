"""The words of the template tags: times, money, counts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from portal.pages.templatetags import switchboard as tags

NOW = datetime(2026, 11, 21, 14, 45, tzinfo=UTC)  # a Saturday, 08:45 in Chicago


@pytest.fixture(autouse=True)
def _morning_in_chicago():
    with time_machine.travel(NOW, tick=False), timezone.override("America/Chicago"):
        yield


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 21, 13, 30, tzinfo=UTC), "Today 07:30"),
        (datetime(2026, 11, 21, 5, 59, tzinfo=UTC), "Yesterday 23:59"),
        (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), "Tomorrow 09:00"),
        (datetime(2026, 11, 19, 18, 0, tzinfo=UTC), "2 days ago"),
        (datetime(2026, 11, 24, 18, 0, tzinfo=UTC), "24 Nov"),
        (datetime(2026, 11, 1, 18, 0, tzinfo=UTC), "1 Nov"),
        (datetime(2025, 11, 24, 18, 0, tzinfo=UTC), "24 Nov 2025"),
        (date(2026, 11, 21), "Today"),
        (date(2026, 11, 20), "Yesterday"),
        (date(2027, 1, 3), "3 Jan 2027"),
    ],
)
def test_a_moment_is_said_as_people_say_it(moment, words):
    assert f">{words}</time>" in tags.when(moment)


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (timedelta(minutes=15), "09:00"),
        (timedelta(hours=15, minutes=14), "23:59"),
        (timedelta(hours=15, minutes=15), "00:00 tomorrow"),
        (timedelta(days=2), "08:45 on 23 Nov"),
        (timedelta(days=50), "08:45 on 10 Jan 2027"),
        (-timedelta(hours=8, minutes=46), "23:59 yesterday"),
    ],
)
def test_a_moment_within_a_sentence_says_its_day_where_it_is_not_the_readers_today(later, words):
    assert f">{words}</time>" in tags.moment(NOW + later)


def test_a_moment_carries_its_exact_time_in_the_readers_zone():
    said = tags.when(datetime(2026, 11, 20, 22, 0, tzinfo=UTC))
    assert 'datetime="2026-11-20T16:00:00-06:00"' in said
    assert 'title="Fri 20 Nov 2026, 16:00"' in said


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(hours=20), "Yesterday 12:45"),
    ],
)
def test_how_long_since(before, words):
    assert f">{words}</time>" in tags.ago(NOW - before)


def test_what_never_happened_is_said():
    assert tags.ago(None) == "never"
    assert tags.when(None) == tags.clock(None) == tags.moment(None) == tags.day(None) == tags.money(None, "USD") == "–"


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("412600", "USD", "$412,600.00"),
        ("412600.0000", "USD", "$412,600.00"),
        ("0.0375", "USD", "$0.0375"),
        ("-12.5", "EUR", "−€12.50"),
        ("1200", "SEK", "1,200.00 SEK"),
        ("1200", "JPY", "¥1,200"),
        ("5", "", "5.00 (currency not given)"),
    ],
)
def test_money_names_its_currency(amount, currency, words):
    assert tags.money(Decimal(amount), currency) == words


def test_money_at_a_glance_leaves_the_cents_out():
    assert tags.money_round(Decimal("38200.40"), "USD") == "$38,200"


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (1, "billing", "1 billing"),
        (19, "billing", "19 billings"),
        (2, "entry,entries", "2 entries"),
        (4200, "", "4,200"),
    ],
)
def test_things_are_counted(number, noun, words):
    assert tags.count(number, noun) == words


@pytest.mark.parametrize(
    ("span", "words"),
    [(timedelta(seconds=1.94), "1.9 s"), (timedelta(seconds=42), "42 s"), (timedelta(seconds=185), "3 min 5 s")],
)
def test_how_long_it_took(span, words):
    assert tags.duration(span) == words
