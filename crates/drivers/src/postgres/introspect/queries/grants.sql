-- Kind and object, column (0 is the whole object), grantee, privileges in lower case.
with granted (kind, object, part, acl) as (
  select 'schema', oid, 0, nspacl from pg_namespace where nspname !~ '^pg_'
  union all
  select 'relation', oid, 0, relacl from pg_class where relacl is not null and oid >= 16384
  union all
  select 'relation', attrelid, attnum, attacl from pg_attribute where attacl is not null and attrelid >= 16384
  union all
  select 'function', oid, 0, proacl from pg_proc where proacl is not null and oid >= 16384
)
select g.kind, g.object::int8, g.part::int4, coalesce(r.rolname::text, 'public'),
  array_agg(lower(a.privilege_type) order by a.privilege_type)
from granted g cross join lateral aclexplode(g.acl) a left join pg_roles r on r.oid = a.grantee
where a.grantee = 0 or r.oid is not null
group by 1, 2, 3, 4
order by 1, 2, 3, 4
