"""What operators see of problems, their own to mend among them."""

from django.contrib import admin

from integrations.problems.models import Problem
from portal.tenancy.readonly import LookOnlyAdmin


@admin.register(Problem)
class ProblemAdmin(LookOnlyAdmin):
    list_display = (
        "words",
        "tenant",
        "connection",
        "stream",
        "code",
        "who",
        "needs_a_person",
        "opened_at",
        "closed_at",
    )
    list_filter = ("needs_a_person", "who", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("tenant", "connection")
    search_fields = ("words", "code", "tenant__name")
    ordering = ("-pk",)
