//! The table of limits: everything that could grow has a bound, named here.
//!
//! Sizes are bytes unless the name says otherwise. A request over a limit is refused with a code, never cut.

macro_rules! limits {
    ($($name:ident: $ty:ty = $default:expr, $doc:literal;)*) => {
        /// The limits in force. Defaults are the table's; settings may change each.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits { $(#[doc = $doc] pub $name: $ty,)* }

        impl Default for Limits {
            fn default() -> Limits { Limits { $($name: $default,)* } }
        }

        /// One row per limit: name, default, what it bounds.
        pub const TABLE: &[(&str, u64, &str)] = &[$((stringify!($name), $default as u64, $doc),)*];

        impl Limits {
            /// Sets a limit by its name; `false` when there is none of that name.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => { self.$name = <$ty>::try_from(value).unwrap_or(<$ty>::MAX); true })*
                    _ => false,
                }
            }
        }
    };
}

limits! {
    url_bytes_max: usize = 1 << 20, "Longest request target (path and query).";
    body_bytes_max: usize = 1 << 20, "Largest body of a Data API or Auth request.";
    reply_bytes_max: usize = 64 << 20, "Largest body of a reply of the Data API.";
    reply_memory_bytes_max: usize = 1 << 20, "Bytes of one reply that are kept in memory; what is longer is a file in the data directory until it is sent.";
    spool_bytes_max: u64 = 4 << 30, "Bytes of all replies that are files at a time.";
    json_depth_max: usize = 64, "Deepest nesting of a JSON body.";
    filter_nodes_max: usize = 200, "Filters and logical operators of one request.";
    filter_depth_max: usize = 16, "Deepest nesting of `and`/`or` in one request.";
    list_values_max: usize = 10_000, "Values in one `in` list or array literal of a filter.";
    embed_depth_max: usize = 5, "Deepest nesting of embedded resources.";
    embed_nodes_max: usize = 50, "Embedded resources of one request, aliases counted.";
    select_items_max: usize = 200, "Items of one select, embeds included.";
    parameters_max: usize = 30_000, "Bound parameters of one statement.";
    rows_max: u64 = 1_000, "Rows that a read returns when it asks for no fewer.";
    batch_requests_max: usize = 100, "Requests of one batch; its body is bounded by `body_bytes_max`, its replies by `reply_bytes_max`.";
    batch_references_max: usize = 1_000, "References of one batch to its own results, which are together no longer than `body_bytes_max`.";
    nested_rows_max: usize = 1_000, "Rows of one insert along relationships, of all tables together.";
    write_rows_max: usize = 100_000, "Rows of one insert body.";
    regex_bytes_max: usize = 10_000, "Longest regular expression.";
    call_depth_max: usize = 200, "Deepest nesting of calls of functions and triggers.";
    sleep_ms_max: u64 = 1_000, "Milliseconds that functions of one request that may write sleep in all (`pg_sleep`), on the embedded engine: all other writes wait for it.";
    function_rows_max: usize = 100_000, "Rows that a function returns, or that a statement of it reads.";
    function_bytes_max: usize = 128 << 20, "Bytes of rows and values that the functions of one request hold at a time, and the foreign keys of its deletions.";
    variable_bytes_max: usize = 64 << 20, "Largest value of a variable of a function.";
    policy_depth_max: usize = 32, "Deepest nesting of policies that read protected tables.";
    expression_depth_max: usize = 200, "Deepest nesting of an SQL expression.";
    statement_timeout_ms: u64 = 8_000, "Time that one request's statements may take.";
    service_statement_timeout_ms: u64 = 30_000, "The same for the service role.";
    header_bytes_max: usize = 16 << 10, "Largest request head.";
    password_bytes_max: usize = 1_024, "Longest password accepted before hashing.";
    password_hash_queue_max: usize = 32, "Password hashes waiting for the hashing pool.";
    write_queue_max: usize = 1_024, "Writes waiting for the writer thread.";
    connections_max: usize = 10_000, "Open client connections.";
    request_timeout_ms: u64 = 60_000, "Time that one request may take in all.";
    drain_timeout_ms: u64 = 30_000, "Time that running requests get at shutdown.";
}
