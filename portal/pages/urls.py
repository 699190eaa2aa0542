"""Every page's address. What lies below /t/<slug>/ belongs to that tenant; the middleware takes the slug away."""

from django.urls import include, path

of_tenant = [
    path("", include("portal.pages.overview.urls")),
    path("", include("portal.pages.business.urls")),
    path("", include("portal.pages.connections.urls")),
    path("", include("portal.pages.people.urls")),
]

urlpatterns = [
    path("", include("portal.pages.home.urls")),
    path("", include("portal.pages.connections.callback_urls")),
    path("t/<slug:tenant_slug>/", include(of_tenant)),
]
