"""What operators see of the engine's work."""

from django.contrib import admin

from integrations.sync.models import Rebuild, StreamState, SyncRun
from portal.tenancy.readonly import LookOnlyAdmin


@admin.register(StreamState)
class StreamStateAdmin(LookOnlyAdmin):
    list_display = ("stream", "tenant", "connection", "due_at", "last_good_at", "failures", "records")
    list_select_related = ("tenant", "connection")
    search_fields = ("stream", "tenant__name")
    ordering = ("-pk",)


@admin.register(SyncRun)
class SyncRunAdmin(LookOnlyAdmin):
    list_display = ("queued_at", "tenant", "connection", "stream", "kind", "state", "code", "read", "new", "changed")
    list_filter = ("state", "kind")
    list_select_related = ("tenant", "connection")
    search_fields = ("stream", "code", "tenant__name")
    ordering = ("-pk",)


@admin.register(Rebuild)
class RebuildAdmin(LookOnlyAdmin):
    list_display = ("asked_at", "tenant", "connection", "stream", "state", "applied_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("tenant", "connection")
    search_fields = ("stream", "tenant__name")
    ordering = ("-pk",)
