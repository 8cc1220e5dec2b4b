-- Row types of system tables are left out: nothing of a project is of them.
select t.oid::int8, n.nspname::text, t.typname::text, t.typtype::text,
  (case when t.typcategory = 'A' and t.typlen = -1 then t.typelem else 0 end)::int8,
  t.typbasetype::int8, t.typtypmod, t.typnotnull, pg_get_expr(t.typdefaultbin, 0),
  array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder),
  coalesce(c.relkind = 'c', false), t.typrelid::int8, obj_description(t.oid, 'pg_type')
from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
where t.typrelid = 0 or (n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane'))
order by t.oid
