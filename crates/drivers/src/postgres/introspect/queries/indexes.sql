select i.indrelid::int8, x.relname::text, pg_get_indexdef(i.indexrelid), obj_description(i.indexrelid, 'pg_class')
from pg_index i
  join pg_class x on x.oid = i.indexrelid
  join pg_namespace n on n.oid = x.relnamespace
where i.indisvalid
  and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u'))
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
order by i.indexrelid
