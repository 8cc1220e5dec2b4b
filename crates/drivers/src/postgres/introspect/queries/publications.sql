select p.pubname::text, p.puballtables, t.schemaname::text, t.tablename::text
from pg_publication p left join pg_publication_tables t on t.pubname = p.pubname and not p.puballtables
order by p.oid, 3, 4
