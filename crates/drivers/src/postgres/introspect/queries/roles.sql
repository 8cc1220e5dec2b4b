-- Newer versions say for each membership whether it gives the role's privileges; a role that has some of them inherits.
select r.rolname::text, r.rolbypassrls, r.rolsuper,
  coalesce(
    (select bool_or((to_jsonb(m) ->> 'inherit_option')::bool) from pg_auth_members m where m.member = r.oid),
    r.rolinherit
  ),
  array(
    select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid order by g.oid
  )
from pg_roles r
order by r.oid
