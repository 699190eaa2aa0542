"""The tasks. Their arguments are numbers only; they may come late, twice or never, and from another release: what that
says beyond what we know is passed over."""

from celery import shared_task

from integrations.sync import beat, engine, services, turns, wake
from portal.tenancy.scope import ops_scope


@shared_task
def advance_run(**_: object) -> None:
    """Carry out one slice of the run whose turn it is. Harmless when late, lost or doubled. A call that found work is
    passed on, for a place is free then; one that found none ends here. Former releases named a run."""
    run = turns.take_turn()
    if run is None:
        return
    try:
        engine.carry_out_slice(*run)
    finally:
        wake.send()


@shared_task
def tick(**_: object) -> None:
    """Look at the clock."""
    beat.tick()


@shared_task
def take_on_streams(**_: object) -> None:
    """Begin what a new release reads."""
    with ops_scope():
        services.take_on_streams()


@shared_task
def housekeeping(**_: object) -> None:
    """Drop what is too old to be asked for."""
    beat.tidy()
