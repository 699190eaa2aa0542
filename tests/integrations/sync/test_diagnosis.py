"""A run that fails for a reason only a person mends says the cause, the cure and who must do it."""

import pytest

from integrations.connections.models import ConnectionState
from integrations.contract import Who
from integrations.problems.models import Problem
from integrations.sandbox.kit import Fault
from integrations.sync.models import RunState
from portal.tenancy.scope import tenant_scope
from tests.integrations.conftest import Connect
from tests.integrations.sync.runs import reload, sync, work_off
from tests.integrations.sync.vendors.stockroom import Emulator

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def test_the_rule_that_fits_speaks_for_the_error(stockroom: Emulator, connect: Connect) -> None:
    connection = connect(stockroom)
    work_off(connection)
    stockroom.weather.add(Fault(status=403))

    (run,) = sync(connection, "shelves")

    assert (run.state, run.words) == (RunState.FAILED, "Somebody locked the stockroom. Unlock it.")
    stopped = reload(connection)
    assert stopped.state == ConnectionState.NEEDS_ATTENTION
    assert stopped.finding == {
        "key": "locked",
        "cause": "Somebody locked the stockroom.",
        "cure": "Unlock it.",
        "who": Who.VENDOR_ADMIN.value,
    }
    with tenant_scope(connection.tenant_id):
        problem = Problem.objects.get(connection=connection, closed_at=None)
    assert (problem.words, problem.who) == ("Somebody locked the stockroom. Unlock it.", Who.VENDOR_ADMIN.value)
