select n.oid::int8, n.nspname::text, n.nspacl is not null, pg_get_userbyid(n.nspowner)::text, obj_description(n.oid, 'pg_namespace')
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
order by n.oid
