"""What each index costs a sync: 100,000 rows more for the large tenant, with every index and without that one."""

import statistics
from pathlib import Path

from django.db import connection as database
from django.db import transaction

from portal.tenancy.models import Tenant

_ROWS, _BATCH, _ROUNDS = 100_000, 10_000, 3
_OFFSET = 600_000_000  # beyond every id that is loaded


def measure_writes(tenant: Tenant) -> None:
    """Prints a line for each index, in seconds of the database's processor time. Every round is rolled back."""
    print(f"\n{'index':24}  s for {_ROWS:,} rows with all  without it   it costs")
    for table in ("records_record", "records_workorder", "records_billing", "records_booking"):
        names = _indexes(table)
        taken: dict[str, list[float]] = {name: [] for name in ("", *names)}
        for _ in range(_ROUNDS):
            for name, found in taken.items():
                found.append(_insert(table, tenant.pk, without=name))
        medians = {name: statistics.median(found) for name, found in taken.items()}
        for name in names:
            cost = medians[""] - medians[name]
            print(f"{name:24}  {medians['']:25.2f}  {medians[name]:10.2f}  {cost:9.2f} s ({cost / medians[name]:.0%})")


def _insert(table: str, tenant_id: int, *, without: str) -> float:
    key = "id" if table == "records_record" else "record_id"
    changes = f"{key} = {key} + {_OFFSET}" + (", external_id = 'y' || external_id" if key == "id" else "")
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("set local role portal_owner")
        cursor.execute("select set_config('app.tenant_id', %s, true)", [str(tenant_id)])
        cursor.execute(
            f"create temp table fresh on commit drop as select row_number() over () as place, t.* from {table} t"
            f" where tenant_id = %s and {key} <= {_OFFSET} limit {_ROWS}",
            [tenant_id],
        )
        cursor.execute(f"update fresh set {changes}")
        cursor.execute("select string_agg(quote_ident(column_name), ', ' order by ordinal_position) from "
            "information_schema.columns where table_name = %s", [table])  # fmt: skip
        columns = cursor.fetchone()[0]
        if without:
            cursor.execute(f"drop index {without}")
        began = database_seconds()
        for first in range(0, _ROWS, _BATCH):
            cursor.execute(
                f"insert into {table} ({columns}) select {columns} from fresh"
                f" where place > {first} and place <= {first + _BATCH}"
                f" on conflict ({key}) do update set {key} = excluded.{key}"
            )
        seconds = database_seconds() - began
        cursor.execute("set local role portal_app")
        transaction.set_rollback(True)
    return seconds


def _indexes(table: str) -> list[str]:
    """Those that no constraint needs."""
    with database.cursor() as cursor:
        cursor.execute(
            "select indexrelid::regclass::text from pg_index where indrelid = %s::regclass"
            " and not exists (select from pg_constraint where conindid = indexrelid) order by 1",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


def database_seconds() -> float:
    """How long the processor has worked for our connection, where the server runs on this machine; else 0."""
    try:
        return int(Path(f"/proc/{database.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0
