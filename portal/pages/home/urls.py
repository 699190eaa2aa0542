from django.urls import path

from portal.pages.home import account, health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("new/", views.create_tenant, name="tenant-create"),
    path("invitations/<int:invitation_id>/accept/", views.accept_own_invitation, name="invitation-accept"),
    path("invitations/<str:secret>/", views.invitation, name="invitation"),
    path("account/", account.account, name="account"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("health/freshness", health.freshness, name="health-freshness"),
]
