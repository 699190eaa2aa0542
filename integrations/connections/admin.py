"""What operators see of connections. Nothing sealed is registered here: no credential, token, attempt or canary."""

from django.contrib import admin

from integrations.connections.models import Connection, TokenRefresh, VendorRequest
from portal.tenancy.readonly import LookOnlyAdmin


@admin.register(Connection)
class ConnectionAdmin(LookOnlyAdmin):
    list_display = ("name", "tenant", "vendor", "state", "since", "proved_at")
    list_filter = ("state", "vendor")
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__name", "account")
    ordering = ("-created_at",)


@admin.register(TokenRefresh)
class TokenRefreshAdmin(LookOnlyAdmin):
    list_display = ("started_at", "tenant", "connection", "state", "attempt", "generation", "error")
    list_filter = ("state",)
    list_select_related = ("tenant", "connection")
    ordering = ("-pk",)


@admin.register(VendorRequest)
class VendorRequestAdmin(LookOnlyAdmin):
    list_display = ("at", "tenant", "connection", "method", "path", "status", "duration_ms", "error")
    list_filter = ("method",)
    list_select_related = ("tenant", "connection")
    search_fields = ("request_id", "vendor_request_id")
    ordering = ("-pk",)
