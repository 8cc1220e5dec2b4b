-- The API's roles have the rights of the roles that they are members of, as on a hosted project; those that a server has from before
-- may not. Run once, so that whoever takes it back is not overruled; a project that says `noinherit` itself means it.

do $$
declare
  wanted text;
begin
  if exists (select from backplane.ledger where layer <> 'foundation' and text ~* '\mnoinherit\M')
    or exists (
      select from supabase_migrations.schema_migrations m, unnest(m.statements) said where said ~* '\mnoinherit\M'
    ) then
    return;
  end if;
  for wanted in
    select rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role') and not rolinherit
  loop
    begin
      execute format('alter role %I inherit', wanted);
    exception
      -- The server's, not ours: they stay as they are.
      when insufficient_privilege then null;
    end;
  end loop;
end $$;
