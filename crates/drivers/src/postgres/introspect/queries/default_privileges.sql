select pg_get_userbyid(d.defaclrole)::text, n.nspname::text, d.defaclobjtype::text, coalesce(r.rolname::text, 'public'),
  array_agg(lower(a.privilege_type) order by a.privilege_type)
from pg_default_acl d
  left join pg_namespace n on n.oid = d.defaclnamespace
  cross join lateral aclexplode(d.defaclacl) a
  left join pg_roles r on r.oid = a.grantee
where a.grantee = 0 or r.oid is not null
group by d.oid, 1, 2, 3, 4
order by d.oid, 4
