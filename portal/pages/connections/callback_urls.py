"""Where vendors send people back to, and one-time links. No tenant stands in these addresses: the round or the link
knows it."""

from django.urls import path

from portal.pages.connections import callback, give

urlpatterns = [
    path("give/<str:secret>/", give.give, name="give"),
    path("oauth/failed/", callback.failed, name="oauth-failed"),
    path("oauth/callback/<slug:vendor>/", callback.come_back, name="oauth-callback"),
    # Some vendors put the values into the path instead of the query.
    path("oauth/callback/<slug:vendor>/<str:code>/<path:state>/", callback.come_back, name="oauth-callback-path"),
]
