select extname::text from pg_extension order by oid
