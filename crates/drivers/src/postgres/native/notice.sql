-- Says that something was declared, in the words that PostgREST listens to. Temporary tables are nobody's declarations. Only a
-- superuser may make event triggers: without them declarations are noticed a little later.
set client_min_messages = warning;
create or replace function backplane.declared() returns event_trigger language plpgsql as $$
begin
  if exists (select from pg_catalog.pg_event_trigger_ddl_commands() where schema_name is distinct from 'pg_temp') then
    perform pg_catalog.pg_notify('pgrst', 'reload schema');
  end if;
end $$;
create or replace function backplane.dropped() returns event_trigger language plpgsql as $$
begin
  if exists (select from pg_catalog.pg_event_trigger_dropped_objects() where not is_temporary) then
    perform pg_catalog.pg_notify('pgrst', 'reload schema');
  end if;
end $$;
do $$
begin
  if not exists (select from pg_event_trigger where evtname = 'backplane_declared') then
    create event trigger backplane_declared on ddl_command_end execute function backplane.declared();
  end if;
  if not exists (select from pg_event_trigger where evtname = 'backplane_dropped') then
    create event trigger backplane_dropped on sql_drop execute function backplane.dropped();
  end if;
exception
  when insufficient_privilege then null;
end $$;
