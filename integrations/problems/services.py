"""Opening and closing problems in the current tenant."""

from uuid import UUID

from django.db import connection
from django.utils import timezone

from integrations.problems.models import Problem
from portal.tenancy.scope import scoped_tenant_id

_OPEN = """
insert into problems_problem
    (tenant_id, connection_id, stream, code, words, who, needs_a_person, is_lasting, opened_at, last_seen_at, count)
values (%(tenant)s, %(connection)s, %(stream)s, %(code)s, %(words)s, %(who)s, %(person)s, %(lasting)s, now(), now(), 1)
on conflict (tenant_id, connection_id, stream, code) where closed_at is null do update
    set words = excluded.words, who = excluded.who, last_seen_at = now(), count = problems_problem.count + 1
"""


def open_problem(
    connection_id: UUID,
    *,
    code: str,
    words: str,
    who: str = "",
    stream: str = "",
    needs_a_person: bool = True,
    is_lasting: bool = False,
) -> None:
    """Say it once: the same cause again only counts. A lasting one is closed by `close_problem` alone."""
    facts: dict[str, str | int | bool | UUID] = {
        "tenant": scoped_tenant_id(),
        "connection": connection_id,
        "stream": stream,
        "code": code[:60],
        "words": words[:1000],
        "who": who[:100],
        "person": needs_a_person,
        "lasting": is_lasting,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, facts)


def close_problems(connection_id: UUID, *, stream: str = "") -> int:
    """What was proved to work again; how many were open."""
    open_ones = Problem.objects.filter(connection_id=connection_id, stream=stream, closed_at=None, is_lasting=False)
    return open_ones.update(closed_at=timezone.now())


def close_problem(connection_id: UUID, *, code: str, stream: str = "") -> int:
    """What was decided or mended; how many were open."""
    open_ones = Problem.objects.filter(connection_id=connection_id, stream=stream, code=code, closed_at=None)
    return open_ones.update(closed_at=timezone.now())


def close_all_problems(connection_id: UUID) -> int:
    """The connection is given up: nothing about it waits for anybody any more; how many were open."""
    return Problem.objects.filter(connection_id=connection_id, closed_at=None).update(closed_at=timezone.now())
