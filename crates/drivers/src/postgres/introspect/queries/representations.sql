-- How domains are shown and read: implicit casts by functions between a domain and json, and from text.
select dn.nspname::text, d.typname::text, c.castsource = d.oid, c.castsource = 'pg_catalog.json'::regtype,
  pn.nspname::text, p.proname::text
from pg_cast c
  join pg_proc p on p.oid = c.castfunc
  join pg_namespace pn on pn.oid = p.pronamespace
  join pg_type d on d.typtype = 'd' and (
    (d.oid = c.castsource and c.casttarget = 'pg_catalog.json'::regtype)
    or (d.oid = c.casttarget and c.castsource in ('pg_catalog.json'::regtype, 'pg_catalog.text'::regtype))
  )
  join pg_namespace dn on dn.oid = d.typnamespace
where c.castcontext = 'i' and c.castmethod = 'f'
order by c.oid
