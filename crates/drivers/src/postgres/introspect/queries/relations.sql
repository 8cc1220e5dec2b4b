select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, pg_get_userbyid(c.relowner)::text,
  c.relrowsecurity, c.relforcerowsecurity, c.relacl is not null,
  coalesce(c.reloptions, '{}'), case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
  obj_description(c.oid, 'pg_class')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm')
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
order by c.oid
