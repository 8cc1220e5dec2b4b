select c.oid::int8, coalesce(i.inhparent, 0)::int8, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid)
from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_inherits i on i.inhrelid = c.oid and c.relispartition
where c.relkind in ('r', 'p', 'f') and (c.relispartition or c.relkind = 'p')
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
order by c.oid
