"""Connections and activity, below /t/<slug>/."""

from django.urls import path

from portal.pages.connections import activity, deeds, links, rebuilds, runs, setup_views, stream, sweeps, views

_ONE = "connections/<uuid:connection_id>"

urlpatterns = [
    path("connections/", views.index, name="connections"),
    path("connections/sync/", deeds.sync_all, name="sync-all"),
    path("connections/new/<slug:vendor>/", setup_views.connect, name="connect"),
    path(f"{_ONE}/", views.streams, name="connection"),
    path(f"{_ONE}/history/", views.history, name="connection-history"),
    path(f"{_ONE}/requests/", views.requests, name="connection-requests"),
    path(f"{_ONE}/credentials/", views.credentials, name="connection-credentials"),
    path(f"{_ONE}/edit/", setup_views.edit, name="connection-edit"),
    path(f"{_ONE}/authorize/", setup_views.authorize, name="connection-authorize"),
    path(f"{_ONE}/sync/", deeds.sync, name="connection-sync"),
    path(f"{_ONE}/sweep/", sweeps.sweep, name="connection-sweep"),
    path(f"{_ONE}/gone/", sweeps.confirm, name="connection-confirm-gone"),
    path(f"{_ONE}/streams/<slug:stream>/anew/", rebuilds.page, name="rebuild"),
    path(f"{_ONE}/streams/<slug:stream>/anew/start/", rebuilds.start, name="rebuild-start"),
    path(f"{_ONE}/rebuilds/<int:rebuild_id>/use/", rebuilds.use, name="rebuild-use"),
    path(f"{_ONE}/rebuilds/<int:rebuild_id>/discard/", rebuilds.discard, name="rebuild-discard"),
    path(f"{_ONE}/rebuilds/<int:rebuild_id>/undo/", rebuilds.undo, name="rebuild-undo"),
    path(f"{_ONE}/streams/<slug:stream>/", stream.page, name="connection-stream"),
    path(f"{_ONE}/streams/<slug:stream>/try-again/", stream.retry, name="connection-stream-retry"),
    path(f"{_ONE}/links/", links.ask, name="link-ask"),
    path(f"{_ONE}/links/<int:link_id>/take-back/", links.take_back, name="link-take-back"),
    path(f"{_ONE}/runs/<int:run_id>/", runs.run, name="connection-run"),
    path(f"{_ONE}/runs/<int:run_id>/stop/", deeds.stop, name="run-stop"),
    path(f"{_ONE}/check/", deeds.check, name="connection-check"),
    path(f"{_ONE}/pause/", deeds.pause, name="connection-pause"),
    path(f"{_ONE}/resume/", deeds.resume, name="connection-resume"),
    path(f"{_ONE}/disconnect/", deeds.disconnect, name="connection-disconnect"),
    path(f"{_ONE}/erase/", deeds.erase, name="connection-erase"),
    path("activity/", activity.runs, name="activity"),
    path("activity/audit/", activity.audit, name="activity-audit"),
]
