select t.tgrelid::int8, t.tgname::text, pg_get_triggerdef(t.oid), t.tgenabled::text
from pg_trigger t
-- A partition has those of its table, which are told once; older versions have no such column.
where not t.tgisinternal and coalesce((to_jsonb(t) ->> 'tgparentid')::oid, 0) = 0
order by t.tgrelid, t.tgname
