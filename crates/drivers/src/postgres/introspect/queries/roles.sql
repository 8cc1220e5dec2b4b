-- Newer versions say for each membership whether it gives the role's privileges; a role that has some of them inherits.
select r.rolname::text, r.rolbypassrls, r.rolsuper,
  coalesce(
    (select bool_or((to_jsonb(m) ->> 'inherit_option')::bool) from pg_auth_members m where m.member = r.oid),
    r.rolinherit
  ),
  array(
    select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid order by g.oid
  ),
  -- What is set for it, in this database before everywhere; only what everybody may set, and what PostgreSQL does not know.
  array(
    select distinct on (split_part(written, '=', 1)) written
    from pg_db_role_setting s, unnest(s.setconfig) written
    where s.setrole = r.oid and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
      and not exists (select from pg_settings known where known.name = split_part(written, '=', 1) and known.context <> 'user')
    order by split_part(written, '=', 1), s.setdatabase desc
  )
from pg_roles r
order by r.oid
