select p.polrelid::int8, p.polname::text, p.polpermissive, p.polcmd::text,
  case when 0 = any (p.polroles) then '{}'
    else array(select r.rolname::text from unnest(p.polroles) with ordinality u (id, at) join pg_roles r on r.oid = u.id order by u.at) end,
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy')
from pg_policy p
order by p.oid
