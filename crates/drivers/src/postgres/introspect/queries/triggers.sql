select t.tgrelid::int8, t.tgname::text, pg_get_triggerdef(t.oid), t.tgenabled::text
from pg_trigger t
where not t.tgisinternal
order by t.tgrelid, t.tgname
