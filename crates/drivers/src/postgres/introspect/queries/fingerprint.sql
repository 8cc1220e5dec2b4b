-- A number for each system table, of the versions of its rows: any change of a declaration changes one of them. Not of what
-- vacuum and analyze note, nor of temporary tables, which come and go with sessions.
select md5(concat_ws(' ',
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_class where relpersistence <> 't' and relkind <> 't' and oid >= 16384),
  (select sum(hashtextextended(concat(a.attrelid, ' ', a.attnum, ' ', a.xmin), 0))
    from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relpersistence <> 't' and c.relkind <> 't' and c.oid >= 16384),
  (select sum(hashtextextended(concat(d.oid, ' ', d.xmin), 0)) from pg_attrdef d),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_constraint where oid >= 16384),
  (select sum(hashtextextended(concat(indexrelid, ' ', xmin), 0)) from pg_index where indexrelid >= 16384),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_proc where oid >= 16384),
  (select sum(hashtextextended(concat(t.oid, ' ', t.xmin), 0))
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.oid >= 16384 and n.nspname !~ '^pg_'),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_enum),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_cast where oid >= 16384),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_rewrite where oid >= 16384),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_policy),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_trigger where not tgisinternal),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_namespace where nspname !~ '^pg_temp|^pg_toast_temp'),
  (select sum(hashtextextended(concat(seqrelid, ' ', xmin), 0)) from pg_sequence),
  (select sum(hashtextextended(concat(objoid, ' ', objsubid, ' ', xmin), 0)) from pg_description where objoid >= 16384),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_default_acl),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_extension),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_publication),
  (select sum(hashtextextended(concat(oid, ' ', xmin), 0)) from pg_publication_rel),
  (select sum(hashtextextended(concat(roleid, ' ', member, ' ', xmin), 0)) from pg_auth_members),
  (select sum(hashtextextended(concat(setdatabase, ' ', setrole, ' ', setconfig), 0)) from pg_db_role_setting),
  (select sum(hashtextextended(concat(oid, rolname, rolsuper, rolbypassrls, rolinherit), 0)) from pg_roles)
))
