select a.attrelid::int8, a.attnum::int4, a.attname::text, a.atttypid::int8, a.atttypmod, a.attnotnull,
  a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped
  and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
order by a.attrelid, a.attnum
