from django.contrib import admin
from django.http import HttpRequest

from portal.tenancy.models import Event, Invitation, Membership, Tenant


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "time_zone", "currency", "weight", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name",)
    readonly_fields = ("created_at",)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__name")
    autocomplete_fields = ("user", "tenant")
    readonly_fields = ("created_at",)


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    """To look at and to withdraw; only a member's page sends one."""

    list_display = ("email", "tenant", "role", "expires_at", "accepted_at")
    list_select_related = ("tenant",)
    search_fields = ("email", "tenant__name")
    readonly_fields = ("email", "tenant", "role", "invited_by", "created_at", "expires_at", "accepted_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    """The audit trail is append only, for operators too."""

    list_display = ("at", "tenant", "actor", "action", "subject")
    list_select_related = ("tenant", "actor")
    list_filter = ("action",)
    search_fields = ("subject", "tenant__name", "actor__email")
    date_hierarchy = "at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False
