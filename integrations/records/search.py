"""What a search in a list finds: rows in which every word asked for begins some word.

Through row-level security no index answers that, so the database function `records_search` looks the words up (see the
migration that makes it). Where it names none the words are common: then the list is walked in its own order, and the
page is full after a few hundred rows.
"""

from django.db import connection
from django.db.models import Case, CharField, F, Func, Model, Q, Value, When
from django.db.models.functions import Concat, Lower, StrIndex
from django.db.models.lookups import GreaterThan

from integrations.records.models import Booking

MOST = 3_000


def find(model: type[Model], words: str) -> Q:
    """The condition that a row must meet. One statement, in the tenant's scope; outside of one nothing is found."""
    words = words.lower()
    with connection.cursor() as cursor:
        cursor.execute(
            "select records_search(%s, %s, %s), records_spaced(%s)", [model._meta.db_table, words, MOST, words]
        )
        ids, spaced = cursor.fetchone()
    if ids is not None:
        return Q(pk__in=ids)
    where = Q()
    for word in set(spaced.split()):
        where &= Q(_holds(model, word))
    return where


def _holds(model: type[Model], word: str) -> GreaterThan:
    """The same question asked of a row itself, in the same words as the index."""
    said: F | Case = F("search")
    if issubclass(model, Booking):
        place = Lower(Concat("resource", Value(" "), "location"))
        said = Case(When(is_private=True, then=place), default=F("search"), output_field=CharField())
    spaced = Func(said, function="records_spaced", output_field=CharField())
    return GreaterThan(StrIndex(spaced, Value(f" {word}")), 0)
