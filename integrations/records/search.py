"""What a search in a list finds: rows in which every word asked for begins some word.

Through row-level security no index answers that, so the database function `records_search` looks the words up (see the
migration that makes it). Where it names none the words are common: then the list is walked in its own order, and the
page is full after a few hundred rows.

Generic records are found in the same way, with `records_lookup`, by their names and the vendors' numbers, and by what
their lists are narrowed by besides: rare values are no less slow to walk to than rare words.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from django.db import connection
from django.db.models import Case, CharField, Count, F, Func, IntegerField, Q, Value, When
from django.db.models.functions import Concat, Lower, StrIndex
from django.db.models.lookups import GreaterThan

from integrations.records.models import Booking, Typed
from integrations.records.queries import among
from portal.tenancy.scope import scoped_tenant_id

MOST = 3_000
_SAMPLE, _COMMON = 1_000, 8  # rows; with more of a sample a page is full sooner than all of them are looked up

_NAME = Lower(Concat("title", Value(" "), "external_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The condition that a row must meet. `is_walk`: it names no rows, so all are read until enough meet it."""

    where: Q
    is_walk: bool


def find(model: type[Typed], words: str) -> Found:
    """In the tenant's scope."""
    words = words.lower()
    with connection.cursor() as cursor:
        cursor.execute("select records_spaced(%s)", [words])
        each = set(cursor.fetchone()[0].split())
        where = Q(*(_holds(model, word) for word in each))
        # One common word the function knows by itself; of several it looks each up before it sees what they share.
        if len(each) > 1 and _is_common(model, where):
            return Found(where=where, is_walk=True)
        cursor.execute("select records_search(%s, %s, %s)", [model._meta.db_table, words, MOST])
        ids = cursor.fetchone()[0]
    return Found(where=where, is_walk=True) if ids is None else Found(where=among(ids), is_walk=False)


def find_records(stream: str, words: str, facets: Mapping[str, str]) -> Found:
    """Of a generic stream, in the tenant's scope: what has the words, if any, and at each facet's path its value.

    Where it is a walk the condition is of the words alone: the list itself is narrowed by the values.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select records_spaced(lower(%s)), records_lookup(%s, %s, %s, %s)",
            [words, stream, words, msgspec.json.encode(facets).decode(), MOST],
        )
        spaced, ids = cursor.fetchone()
    each = {word for word in spaced.split(" ") if word}
    if words and not each:
        ids = []
    if ids is not None:
        return Found(where=among(ids), is_walk=False)
    return Found(where=Q(*(_begins(_NAME, word) for word in each)), is_walk=True)


def _is_common(model: type[Typed], where: Q) -> bool:
    """Judged by some of the tenant's rows."""
    meets = Case(When(where, then=1), default=None, output_field=IntegerField())
    some = model._default_manager.filter(tenant_id=scoped_tenant_id()).annotate(meets=meets)[:_SAMPLE]
    number: int = some.aggregate(number=Count("meets"))["number"]
    return number > _COMMON


def _holds(model: type[Typed], word: str) -> GreaterThan:
    said: F | Case = F("search")
    if issubclass(model, Booking):
        place = Lower(Concat("resource", Value(" "), "location"))
        said = Case(When(is_private=True, then=place), default=F("search"), output_field=CharField())
    return _begins(said, word)


def _begins(said: F | Case | Lower, word: str) -> GreaterThan:
    """The same question asked of a row itself, in the same words as the index."""
    spaced = Func(said, function="records_spaced", output_field=CharField())
    return GreaterThan(StrIndex(spaced, Value(f" {word}")), 0)
