"""Records as the operator sees them: read only, never counted in full, never searched by payload."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import cached_property

from integrations.records.models import KnownField, Record, RejectedRecord

_MOST = 5_000


class ReadOnly:
    """What vendors told us is written by the sync alone."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class FirstPages(Paginator):
    """Counts no further than the operator will page: an exact count would read every tenant's rows."""

    @cached_property
    def count(self) -> int:
        return self.object_list[:_MOST].count()  # type: ignore[attr-defined, no-any-return]


@admin.register(Record)
class RecordAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("external_id", "stream", "connection_id", "tenant_id", "changed_at", "missing_since")
    list_select_related = False
    show_full_result_count = False
    ordering = ("-id",)
    exclude = ("payload", "context", "digest")
    list_per_page = 50
    paginator = FirstPages


@admin.register(RejectedRecord)
class RejectedRecordAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("key", "stream", "reason", "connection_id", "tenant_id", "last_seen_at")
    list_select_related = False
    show_full_result_count = False
    ordering = ("-id",)
    exclude = ("payload", "origin")
    list_per_page = 50
    paginator = FirstPages


@admin.register(KnownField)
class KnownFieldAdmin(ReadOnly, admin.ModelAdmin):
    """Changes of what vendors send, over all tenants: the latest first."""

    list_display = (
        *("name", "stream", "connection_id", "tenant_id", "is_new", "records", "first_seen_at"),
        *("types_before", "types", "types_changed_at", "lost_at"),
    )
    list_filter = ("is_new", ("types_changed_at", admin.EmptyFieldListFilter), ("lost_at", admin.EmptyFieldListFilter))
    list_select_related = False
    show_full_result_count = False
    ordering = ("-id",)
    list_per_page = 50
    paginator = FirstPages
