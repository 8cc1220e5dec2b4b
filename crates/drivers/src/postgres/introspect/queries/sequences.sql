select c.oid::int8, n.nspname::text, c.relname::text, s.seqtypid::int8, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
  d.refobjid::int8, d.refobjsubid::int4, c.relacl is not null, pg_get_userbyid(c.relowner)::text
from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
order by c.oid
