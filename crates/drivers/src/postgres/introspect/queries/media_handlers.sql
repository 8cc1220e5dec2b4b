-- Aggregates whose result is of a domain that is called like a media type, over the rows of one table or of any.
select n.nspname::text, p.proname::text, lower(t.typname::text), t.typbasetype = 'pg_catalog.bytea'::regtype,
  rn.nspname::text, r.relname::text
from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_aggregate a on a.aggfnoid = p.oid
  join pg_type t on t.oid = p.prorettype and t.typtype = 'd'
  join pg_type arg on arg.oid = p.proargtypes[0]
  left join pg_class r on r.reltype = arg.oid
  left join pg_namespace rn on rn.oid = r.relnamespace
where p.pronargs = 1 and t.typname ~ '/' and n.nspname = any ($1)
  and (r.oid is not null or arg.oid = 'pg_catalog.anyelement'::regtype)
order by p.oid
