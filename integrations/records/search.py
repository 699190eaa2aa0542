"""What a search in a list finds: rows in which every word asked for begins some word.

Through row-level security no index answers that, so the database function `records_search` looks the words up (see the
migration that makes it). Where it names none the words are common: then the list is walked in its own order, and the
page is full after a few hundred rows.
"""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, CharField, Count, F, Func, IntegerField, Q, Value, When
from django.db.models.functions import Concat, Lower, StrIndex
from django.db.models.lookups import GreaterThan

from integrations.records.models import Booking, Typed
from portal.tenancy.scope import scoped_tenant_id

MOST = 3_000
_SAMPLE, _COMMON = 1_000, 8  # rows; with more of a sample a page is full sooner than all of them are looked up


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
    return Found(where=where, is_walk=True) if ids is None else Found(where=Q(pk__in=ids), is_walk=False)


def _is_common(model: type[Typed], where: Q) -> bool:
    """Judged by some of the tenant's rows."""
    meets = Case(When(where, then=1), default=None, output_field=IntegerField())
    some = model._default_manager.filter(tenant_id=scoped_tenant_id()).annotate(meets=meets)[:_SAMPLE]
    number: int = some.aggregate(number=Count("meets"))["number"]
    return number > _COMMON


def _holds(model: type[Typed], word: str) -> GreaterThan:
    """The same question asked of a row itself, in the same words as the index."""
    said: F | Case = F("search")
    if issubclass(model, Booking):
        place = Lower(Concat("resource", Value(" "), "location"))
        said = Case(When(is_private=True, then=place), default=F("search"), output_field=CharField())
    spaced = Func(said, function="records_spaced", output_field=CharField())
    return GreaterThan(StrIndex(spaced, Value(f" {word}")), 0)
