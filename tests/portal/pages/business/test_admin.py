from django.test import Client

from integrations.records.models import RejectedRecord
from portal.accounts.models import User
from tests import sample_data
from tests.page_fixtures import House


def test_the_operator_looks_at_records_but_not_into_them(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        record = sample_data.store(connection, "sites", {"Name": "Inside the payload"}, title="Shown nowhere")
        RejectedRecord.objects.create(
            tenant=house.tenant,
            connection=connection,
            stream="sites",
            key="k-1",
            payload="{",
            reason="Cut off",
            run_id=1,
        )
    operator = Client()
    operator.force_login(User.objects.create_superuser("ops@example.com"))
    lists = operator.get("/admin/records/record/"), operator.get("/admin/records/rejectedrecord/")
    assert record.external_id in lists[0].content.decode()
    assert "Cut off" in lists[1].content.decode()
    detail = operator.get(f"/admin/records/record/{record.pk}/change/").content.decode()
    assert "Inside the payload" not in detail
    assert "_save" not in detail
    assert operator.get("/admin/records/record/add/").status_code == 403
    assert neighbour.client.get("/admin/records/record/").status_code == 302
