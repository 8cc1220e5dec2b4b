-- Of what partitions have from their tables, the keys are told alone. What a newer version keeps and an older one lacks is asked of the row as JSON.
select c.conrelid::int8, c.contypid::int8, c.conname::text, c.contype::text, coalesce(c.conkey, '{}'),
  c.confrelid::int8, coalesce(c.confkey, '{}'), c.confupdtype::text, c.confdeltype::text, c.confmatchtype = 'f',
  coalesce(array(select x::int2 from jsonb_array_elements_text(nullif(to_jsonb(c) -> 'confdelsetcols', 'null')) x), '{}'),
  c.condeferrable, c.condeferred, c.convalidated,
  case c.contype when 'c' then pg_get_expr(c.conbin, c.conrelid) when 'x' then pg_get_constraintdef(c.oid) end,
  coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false),
  coalesce(array(
    select a.attnum from generate_series(i.indnkeyatts, i.indnatts - 1) at join pg_attribute a
      on a.attrelid = i.indrelid and a.attnum = i.indkey[at]
  ), '{}')
from pg_constraint c
  join pg_namespace n on n.oid = c.connamespace
  left join pg_class r on r.oid = c.conrelid
  left join pg_index i on i.indexrelid = c.conindid and c.contype in ('p', 'u')
where c.contype in ('p', 'u', 'c', 'f', 'x') and (c.contype in ('p', 'u') or (c.conparentid = 0 and not coalesce(r.relispartition, false)))
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'backplane')
order by c.oid
