"""What the broker brings may come from another release."""

import inspect

import pytest
from celery import Task

from portal.celery import app

app.loader.import_default_modules()
OURS = sorted(name for name in app.tasks if name.startswith(("integrations.", "portal.")))


def test_the_tasks_of_connections_and_of_syncs_are_known() -> None:
    assert {name.rpartition(".")[0] for name in OURS} >= {"integrations.connections.tasks", "integrations.sync.tasks"}


@pytest.mark.parametrize("name", OURS)
def test_a_task_passes_over_what_a_newer_release_says_beside(name: str) -> None:
    task: Task = app.tasks[name]
    wanted = inspect.signature(task.run).parameters.values()
    known = {one.name: 1 for one in wanted if one.kind is inspect.Parameter.KEYWORD_ONLY}

    inspect.signature(task.run).bind(**known, said_by_a_newer_release=7)
