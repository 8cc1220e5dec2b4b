//! Functions that PostgreSQL 15 and the extensions of projects have, and that are not here: a call of one is refused by its
//! name, and not as one that does not exist.

/// Whether a name is that of a function that is not here.
pub(crate) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

#[rustfmt::skip]
const NAMES: &[&str] = &[
    // Chance that is repeated.
    "setseed",
    // Text.
    "convert", "xmlagg", "xpath", "xpath_exists", "query_to_xml",
    // Ranges.
    "datemultirange", "int4multirange", "int8multirange", "multirange", "nummultirange", "range_agg", "range_intersect_agg",
    "tsmultirange", "tstzmultirange",
    // Text search.
    "ts_stat",
    // The server and its catalogs.
    "col_description", "current_query", "format_type", "obj_description", "pg_backend_pid",
    "pg_cancel_backend", "pg_column_compression", "pg_conf_load_time", "pg_current_xact_id", "pg_database_size",
    "pg_get_constraintdef", "pg_get_expr", "pg_get_functiondef", "pg_get_indexdef", "pg_get_triggerdef",
    "pg_get_userbyid", "pg_get_viewdef", "pg_has_role", "pg_indexes_size", "pg_is_in_recovery", "pg_postmaster_start_time",
    "pg_relation_size", "pg_table_size", "pg_terminate_backend", "pg_total_relation_size", "row_security_active",
    "shobj_description", "to_regclass", "to_regnamespace", "to_regproc", "to_regprocedure", "to_regrole", "to_regtype",
    "txid_current", "version",
    // Extensions.
    "decrypt", "decrypt_iv", "dmetaphone", "dmetaphone_alt", "encrypt", "encrypt_iv", "metaphone",
    "pgp_armor_headers", "pgp_key_id", "pgp_pub_decrypt", "pgp_pub_decrypt_bytea", "pgp_pub_encrypt", "pgp_pub_encrypt_bytea",
    "binary_quantize", "hamming_distance", "jaccard_distance",
];
