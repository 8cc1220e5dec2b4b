-- Functions of extensions count where the API serves their schema: elsewhere they are tools of the schema's author. What a range
-- type brings along counts nowhere.
select p.oid::int8, n.nspname::text, p.proname::text, pg_get_userbyid(p.proowner)::text, l.lanname::text,
  coalesce(p.proallargtypes, p.proargtypes::oid[])::int8[],
  coalesce(p.proargmodes::text[], '{}'), coalesce(p.proargnames, '{}'),
  array(
    select pg_get_function_arg_default(p.oid, at)
    from generate_series(1, coalesce(array_length(p.proallargtypes, 1), p.pronargs)) at
  ),
  p.prorettype::int8, p.proretset, p.provolatile::text, p.proisstrict, p.prosecdef, p.prorows::float8,
  coalesce(p.proconfig, '{}'), coalesce(p.prosrc, ''), p.proacl is not null, obj_description(p.oid, 'pg_proc'),
  case when l.lanname = 'sql' and coalesce(p.prosrc, '') = '' then pg_get_functiondef(p.oid) end
from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang
where p.prokind = 'f' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
  and not exists (
    select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid
      and (d.deptype = 'i' or (d.deptype = 'e' and n.nspname <> all ($1)))
  )
order by p.oid
