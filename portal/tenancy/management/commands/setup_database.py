"""Creates the three database roles and their rights. Safe to repeat; run it once ahead of the first `migrate`."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

ROLES = """
do $$
declare wanted record;
begin
    for wanted in select * from (values
        ('portal_owner', 'nologin createdb nobypassrls'),
        ('portal_app', 'nologin nobypassrls'),
        ('portal_ops', 'nologin bypassrls')
    ) as role(name, attributes) loop
        if not exists (select from pg_roles where rolname = wanted.name) then
            execute format('create role %I %s', wanted.name, wanted.attributes);
        end if;
    end loop;
end $$;
"""
GRANTS = """
grant portal_owner, portal_app, portal_ops to current_user;
grant create, usage on schema public to portal_owner;
grant usage on schema public to portal_app, portal_ops;
alter default privileges for role portal_owner in schema public
    grant select, insert, update, delete on tables to portal_app, portal_ops;
alter default privileges for role portal_owner in schema public
    grant usage, select on sequences to portal_app, portal_ops;
create extension if not exists pg_trgm;
"""


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(7311)")
            try:
                cursor.execute(ROLES)
                cursor.execute(GRANTS)
            finally:
                cursor.execute("select pg_advisory_unlock(7311)")
        self.stdout.write("The database roles are ready.")
