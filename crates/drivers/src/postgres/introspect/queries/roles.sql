-- A member that does not inherit has no privilege of the role that it is a member of.
select r.rolname::text, r.rolbypassrls, r.rolsuper,
  array(
    select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
    where m.member = r.oid and coalesce((to_jsonb(m) ->> 'inherit_option')::bool, r.rolinherit)
    order by g.oid
  )
from pg_roles r
order by r.oid
