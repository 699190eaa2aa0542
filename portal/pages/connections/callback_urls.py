"""Where vendors send people back to. No tenant stands in these addresses: the round knows it."""

from django.urls import path

from portal.pages.connections import callback

urlpatterns = [
    path("oauth/failed/", callback.failed, name="oauth-failed"),
    path("oauth/callback/<slug:vendor>/", callback.come_back, name="oauth-callback"),
    # Some vendors put the values into the path instead of the query.
    path("oauth/callback/<slug:vendor>/<str:code>/<path:state>/", callback.come_back, name="oauth-callback-path"),
]
