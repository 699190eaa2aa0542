from django.urls import path

from portal.pages.people import views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/invite/", views.invite, name="people-invite"),
    path("people/leave/", views.leave, name="people-leave"),
    path("people/<int:membership_id>/role/", views.change_role, name="people-role"),
    path("people/<int:membership_id>/remove/", views.remove, name="people-remove"),
    path("people/invitations/<int:invitation_id>/resend/", views.resend_invitation, name="people-resend"),
    path("people/invitations/<int:invitation_id>/withdraw/", views.withdraw_invitation, name="people-withdraw"),
    path("settings/", views.tenant_settings, name="tenant-settings"),
]
