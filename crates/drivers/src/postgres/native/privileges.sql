-- Who may use what at the start, as Supabase has it. Run once: what a project grants and revokes afterwards is its own.

grant usage on schema public, auth, extensions, storage, realtime, graphql_public to anon, authenticated, service_role;

do $$
declare
  maker text;
begin
  -- `postgres` too: a dump says whose its objects are.
  if exists (select from pg_roles where rolname = 'postgres') then
    grant all on schema public, auth, extensions, storage, realtime, graphql_public to postgres;
  end if;
  foreach maker in array array[current_user::text, 'postgres'] loop
    if exists (select from pg_roles where rolname = maker) and pg_has_role(current_user, maker, 'member') then
      execute format('alter default privileges for role %I in schema public grant all on tables to anon, authenticated, service_role', maker);
      execute format('alter default privileges for role %I in schema public grant all on sequences to anon, authenticated, service_role', maker);
      execute format('alter default privileges for role %I in schema public grant all on functions to anon, authenticated, service_role', maker);
    end if;
  end loop;
end $$;
