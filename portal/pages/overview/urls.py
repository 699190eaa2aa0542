from django.urls import path

from portal.pages.overview import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("overview/connections/", views.live, name="overview-connections"),
]
