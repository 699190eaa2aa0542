"""The tasks. Their arguments are numbers only; they may come late, twice or never, and from another release: what that
says beyond what we know is passed over."""

from celery import shared_task

from integrations.sync import beat, engine, services
from portal.tenancy.scope import ops_scope


@shared_task
def advance_run(*, tenant_id: int, sync_run_id: int, **_: object) -> None:
    """Carry out one slice of a run. Harmless when late, lost or doubled: the lease decides who works."""
    engine.carry_out_slice(tenant_id, sync_run_id)


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
