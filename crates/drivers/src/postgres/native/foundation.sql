-- What every project starts with: Supabase's roles, schemas, extensions and functions. Makes what is missing, and changes nothing
-- else.

set client_min_messages = warning;

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('postgres', 'nologin'), ('supabase_admin', 'nologin'),
      ('anon', 'nologin'), ('authenticated', 'nologin'), ('service_role', 'nologin bypassrls'),
      ('authenticator', 'login noinherit'),
      ('supabase_auth_admin', 'nologin noinherit'), ('supabase_storage_admin', 'nologin noinherit'),
      ('supabase_realtime_admin', 'nologin noinherit'), ('supabase_read_only_user', 'nologin bypassrls'),
      ('supabase_replication_admin', 'nologin'), ('dashboard_user', 'nologin'), ('pgsodium_keyholder', 'nologin')
    ) roles (name, options)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      begin
        execute format('create role %I %s', wanted.name, wanted.options);
      exception
        -- Two starts at once, or a cluster whose roles another database's project made.
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
          if wanted.name in ('anon', 'authenticated', 'service_role') then raise; end if;
      end;
    end if;
  end loop;
end $$;

do $$
declare
  pair record;
begin
  for pair in
    select role, member from (values
      ('anon', 'authenticator'), ('authenticated', 'authenticator'), ('service_role', 'authenticator'),
      ('anon', current_user::text), ('authenticated', current_user::text), ('service_role', current_user::text),
      ('postgres', current_user::text)
    ) pairs (role, member)
    where role <> member
      and exists (select from pg_roles where rolname = role) and exists (select from pg_roles where rolname = member)
      and not pg_has_role(member, role, 'member')
  loop
    execute format('grant %I to %I', pair.role, pair.member);
  end loop;
end $$;

create schema if not exists auth;
create schema if not exists extensions;
create schema if not exists storage;
create schema if not exists realtime;
create schema if not exists graphql_public;

do $$
declare
  wanted text;
begin
  foreach wanted in array array['pgcrypto', 'uuid-ossp'] loop
    if exists (select from pg_available_extensions where name = wanted)
      and not exists (select from pg_extension where extname = wanted) then
      begin
        execute format('create extension %I schema extensions', wanted);
      exception
        -- Who needs it says so, and is told why it is not there.
        when insufficient_privilege then null;
      end;
    end if;
  end loop;
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    begin
      create publication supabase_realtime;
    exception
      when insufficient_privilege then null;
    end;
  end if;
end $$;

create or replace function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb
$$;
create or replace function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;
create or replace function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;
create or replace function auth.email() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;
