//! The table of error codes: SQLSTATE where PostgreSQL has one, `PGRST…` where PostgREST has one.
//!
//! Each row has the HTTP status of the Data API. States that only come from data (a user's own SQLSTATE, one of PostgreSQL's
//! that nothing here raises) are not rows: [`Code::of_state`] finds the row that stands for them, and the error keeps its state.

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(u16);

/// One code: its text, its HTTP status on the Data API, and what it means.
pub struct Row {
    /// The code as sent.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($konst:ident $name:literal $status:literal $meaning:literal;)*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "positions of the rows, never seen outside")]
        enum Position { $($konst,)* }

        impl Code {
            $(#[doc = $meaning] pub const $konst: Code = Code(Position::$konst as u16);)*
        }

        /// The rows, in the order of the constants.
        pub const TABLE: &[Row] = &[$(Row { name: $name, status: $status, meaning: $meaning },)*];
    };
}

codes! {
    NO_DATA "02000" 400 "No data.";
    OUTCOME_UNKNOWN "08007" 503 "The connection was lost while a change was committed: nobody knows whether it is there.";
    FEATURE_NOT_SUPPORTED "0A000" 400 "PostgreSQL has it; this engine or version lacks it.";
    INVALID_GRANTOR "0L000" 403 "Invalid grantor.";
    INVALID_GRANT "0LP01" 403 "A privilege that the object does not have.";
    INVALID_ROLE "0P000" 403 "Invalid role specification.";
    CARDINALITY "21000" 500 "A statement would affect a row twice, or a subquery returned several rows.";
    STRING_TOO_LONG "22001" 400 "Value too long for the type.";
    NUMERIC_OUT_OF_RANGE "22003" 400 "Number out of range.";
    FRAME_OFFSET "22013" 400 "An offset of a window's frame that is negative.";
    NTILE "22014" 400 "A number of buckets that is not positive.";
    NTH_VALUE "22016" 400 "A number of a row that is not positive.";
    NULL_NOT_ALLOWED "22004" 400 "Null value not allowed.";
    INVALID_DATETIME "22007" 400 "Invalid date or time.";
    DATETIME_OVERFLOW "22008" 400 "Date or time out of range.";
    TIME_ZONE_DISPLACEMENT "22009" 400 "A time zone too far from UTC.";
    INTERVAL_FIELD_OVERFLOW "22015" 400 "A field of an interval out of range.";
    ESCAPE_SEQUENCE "22025" 400 "Invalid escape sequence.";
    DIVISION_BY_ZERO "22012" 400 "Division by zero.";
    INVALID_REGEX "2201B" 400 "Invalid regular expression.";
    INVALID_LOGARITHM "2201E" 400 "Invalid argument for a logarithm.";
    INVALID_POWER "2201F" 400 "Invalid argument for a power.";
    INVALID_BUCKETS "2201G" 400 "Invalid bounds or number of buckets.";
    INVALID_LIMIT "2201W" 400 "Negative limit.";
    SUBSTRING_ERROR "22011" 400 "Negative substring length.";
    NOT_IN_REPERTOIRE "22021" 400 "A character that the encoding does not allow.";
    INVALID_PARAMETER "22023" 400 "Invalid parameter value.";
    INVALID_JSON_DATETIME "22031" 400 "A JSON item that `.datetime()` cannot read.";
    INVALID_JSON_SUBSCRIPT "22033" 400 "A subscript that a JSON path cannot use.";
    NO_JSON_NUMBER "22036" 400 "A JSON item that is no number.";
    JSON_SINGLETON "22038" 400 "A JSON path needs one item, and found others.";
    NO_JSON_ARRAY "22039" 400 "A JSON item that is no array.";
    NO_JSON_MEMBER "2203A" 400 "A JSON object without the member.";
    NO_JSON_OPERAND "2203B" 400 "An operand of a JSON path that is no number.";
    NO_JSON_OBJECT "2203C" 400 "A JSON item that is no object.";
    INVALID_JSON "22032" 400 "Invalid JSON text.";
    ARRAY_SUBSCRIPT "2202E" 400 "Array subscript error.";
    STRING_LENGTH_MISMATCH "22026" 400 "String data length mismatch.";
    ZERO_LENGTH_CHARACTER_STRING "2200F" 400 "Zero length character string.";
    ARRAY_ELEMENT_ERROR "22000" 400 "Data exception.";
    SEQUENCE_LIMIT "2200H" 400 "Sequence limit exceeded.";
    INVALID_TEXT "22P02" 400 "Text that is not a value of the type.";
    INVALID_BINARY "22P03" 400 "Invalid binary representation.";
    UNTRANSLATABLE "22P05" 400 "A character that cannot be represented.";
    INTEGRITY "23000" 400 "Integrity constraint violation.";
    RESTRICT_VIOLATION "23001" 400 "Restrict violation.";
    NOT_NULL_VIOLATION "23502" 400 "Null in a not-null column.";
    FOREIGN_KEY_VIOLATION "23503" 409 "Foreign key violation.";
    UNIQUE_VIOLATION "23505" 409 "Unique violation.";
    EXCLUSION_VIOLATION "23P01" 400 "An exclusion constraint refused the row.";
    VIEW_CHECK_VIOLATION "44000" 400 "A row does not meet the condition of the view that it was written to.";
    CHECK_VIOLATION "23514" 400 "Check violation.";
    READ_ONLY_TRANSACTION "25006" 405 "A write in a read-only transaction.";
    INVALID_PASSWORD "28P01" 403 "Invalid password.";
    DEPENDENT_OBJECTS "2BP01" 400 "Other objects depend on it.";
    UNDEFINED_SCHEMA "3F000" 400 "Schema does not exist.";
    SERIALIZATION "40001" 500 "Serialization failure.";
    DEADLOCK "40P01" 500 "Deadlock.";
    SYNTAX "42601" 400 "Syntax error.";
    PRIVILEGE "42501" 403 "Insufficient privilege (401 for the anonymous role).";
    CANNOT_COERCE "42846" 400 "No cast between these types.";
    WINDOWING "42P20" 400 "Windowing error.";
    INVALID_RECURSION "42P19" 400 "Invalid recursion.";
    GROUPING "42803" 400 "Grouping error.";
    INVALID_FOREIGN_KEY "42830" 400 "Invalid foreign key.";
    INVALID_NAME "42602" 400 "Invalid name.";
    NAME_TOO_LONG "42622" 400 "Name too long.";
    DATATYPE_MISMATCH "42804" 400 "Type mismatch.";
    INDETERMINATE_TYPE "42P18" 400 "Type cannot be determined.";
    WRONG_OBJECT_TYPE "42809" 400 "Wrong object type.";
    GENERATED_ALWAYS "428C9" 400 "A value for a generated column.";
    UNDEFINED_COLUMN "42703" 400 "Column does not exist.";
    UNDEFINED_FUNCTION "42883" 404 "Function or operator does not exist.";
    UNDEFINED_TABLE "42P01" 404 "Table does not exist.";
    UNDEFINED_PARAMETER "42P02" 400 "Parameter does not exist.";
    UNDEFINED_OBJECT "42704" 400 "Object does not exist.";
    DUPLICATE_COLUMN "42701" 400 "Column exists already.";
    DUPLICATE_SCHEMA "42P06" 400 "Schema exists already.";
    DUPLICATE_TABLE "42P07" 400 "Table exists already.";
    DUPLICATE_ALIAS "42712" 400 "Table name specified more than once.";
    DUPLICATE_OBJECT "42710" 400 "Object exists already.";
    DUPLICATE_FUNCTION "42723" 400 "Function exists already.";
    AMBIGUOUS_COLUMN "42702" 400 "Column reference is ambiguous.";
    AMBIGUOUS_FUNCTION "42725" 400 "Function or operator is not unique.";
    INVALID_COLUMN_REFERENCE "42P10" 400 "Invalid column reference.";
    INVALID_COLUMN_DEFINITION "42611" 400 "Invalid column definition.";
    INVALID_TABLE_DEFINITION "42P16" 400 "Invalid table definition.";
    INVALID_FUNCTION_DEFINITION "42P13" 400 "Invalid function definition.";
    INVALID_OBJECT_DEFINITION "42P17" 500 "Invalid object definition, or infinite recursion in a policy.";
    DISK_FULL "53100" 503 "Disk full.";
    TOO_MANY_CONNECTIONS "53300" 503 "Too many connections.";
    LIMIT_EXCEEDED "54000" 500 "Program limit exceeded.";
    TOO_COMPLEX "54001" 500 "Statement too complex.";
    OBJECT_STATE "55000" 500 "Object not in the prerequisite state.";
    LOCK_NOT_AVAILABLE "55P03" 500 "Lock not available.";
    QUERY_CANCELED "57014" 500 "Statement timeout or cancellation.";
    ADMIN_SHUTDOWN "57P01" 503 "Shutting down.";
    IO_ERROR "58030" 500 "Storage input or output failed.";
    RAISED "P0001" 400 "Raised by the schema's own code.";
    INTERNAL "XX000" 500 "Internal error.";
    DATA_CORRUPTED "XX001" 500 "Stored data is damaged.";

    CONNECTION "PGRST000" 503 "The database cannot be reached.";
    CLIENT "PGRST001" 503 "The connection to the database was lost.";
    POOL_TIMEOUT "PGRST003" 504 "Timed out waiting for a connection.";
    PARSE "PGRST100" 400 "A query parameter could not be parsed.";
    RPC_METHOD "PGRST101" 405 "Method not allowed on a function.";
    BODY "PGRST102" 400 "The body could not be read.";
    RANGE "PGRST103" 416 "The range cannot be satisfied.";
    PUT_FILTERS "PGRST105" 405 "PUT needs exactly the primary key, compared with `eq`.";
    SCHEMA_NOT_EXPOSED "PGRST106" 406 "The schema is not exposed.";
    MEDIA_TYPE "PGRST107" 406 "None of the asked media types is available.";
    NOT_EMBEDDED "PGRST108" 400 "A filter or order names a resource that is not embedded.";
    RESPONSE_HEADERS "PGRST111" 500 "A function set headers that are none.";
    RESPONSE_STATUS "PGRST112" 500 "A function set a status that is none.";
    PUT_LIMIT "PGRST114" 400 "PUT takes no limit or offset.";
    PUT_MISMATCH "PGRST115" 400 "The body's key differs from the URL's.";
    NOT_SINGULAR "PGRST116" 406 "One row was asked for; the result has another number.";
    METHOD "PGRST117" 405 "Unsupported method.";
    RELATED_ORDER "PGRST118" 400 "Related order needs a to-one embed.";
    EMBED_OPERATOR "PGRST120" 400 "Only `is.null` and `not.is.null` apply to an embed.";
    RAISED_JSON "PGRST121" 500 "An error was raised with a reply that cannot be read.";
    PREFERENCES "PGRST122" 400 "Unknown preferences under strict handling.";
    AGGREGATES_DISABLED "PGRST123" 400 "Aggregate functions are switched off.";
    MAX_AFFECTED "PGRST124" 400 "More rows affected than the request allows.";
    PATH "PGRST125" 404 "Invalid path.";
    ROOT_DISABLED "PGRST126" 404 "The API description is switched off.";
    NOT_IMPLEMENTED "PGRST127" 400 "A feature that is not implemented.";
    MAX_AFFECTED_FUNCTION "PGRST128" 400 "max-affected needs a set-returning function.";
    NO_RELATIONSHIP "PGRST200" 400 "No relationship between the resources.";
    AMBIGUOUS_RELATIONSHIP "PGRST201" 300 "Several relationships between the resources.";
    NO_FUNCTION "PGRST202" 404 "Function not found.";
    AMBIGUOUS_RPC "PGRST203" 300 "Several functions match.";
    NO_COLUMN "PGRST204" 400 "Column not found.";
    NO_TABLE "PGRST205" 404 "Table not found.";
    NO_JWT_SECRET "PGRST300" 500 "No verification key.";
    JWT_INVALID "PGRST301" 401 "The token could not be verified.";
    ANONYMOUS_DISABLED "PGRST302" 401 "Anonymous access is disabled.";
    JWT_CLAIMS "PGRST303" 401 "A claim of the token is not acceptable.";
    BATCH "BP001" 400 "A batch, or a request in it, could not be read.";
    BATCH_REFERENCE "BP002" 400 "A reference of a batch leads nowhere.";
    NESTED "BP003" 400 "Nested rows do not fit their tables or each other.";
    PAYLOAD_TOO_LARGE "BP413" 413 "The body is larger than the limit.";
    URI_TOO_LONG "BP414" 414 "The request target is longer than the limit.";
    HEADERS_TOO_LARGE "BP431" 431 "The headers are longer than the limit.";
    OVERLOADED "BP429" 503 "A queue is full; try again.";
    TIMEOUT "BP504" 504 "The request took longer than its limit.";

    CONFIGURATION_LIMIT "53400" 500 "Configuration limit exceeded.";
    CLASS_CONNECTION "08" 503 "Any other state of class 08: connection exceptions.";
    CLASS_TRIGGERED_ACTION "09" 500 "Any other state of class 09: triggered action exceptions.";
    CLASS_GRANTOR "0L" 403 "Any other state of class 0L: invalid grantors.";
    CLASS_ROLE "0P" 403 "Any other state of class 0P: invalid roles.";
    CLASS_TRANSACTION_STATE "25" 500 "Any other state of class 25: invalid transaction states.";
    CLASS_AUTHORIZATION "28" 403 "Any other state of class 28: invalid authorizations.";
    CLASS_TRANSACTION_END "2D" 500 "Any other state of class 2D: invalid transaction terminations.";
    CLASS_EXTERNAL "38" 500 "Any other state of class 38: external routine exceptions.";
    CLASS_EXTERNAL_CALL "39" 500 "Any other state of class 39: external routine invocation exceptions.";
    CLASS_SAVEPOINT "3B" 500 "Any other state of class 3B: savepoint exceptions.";
    CLASS_ROLLBACK "40" 500 "Any other state of class 40: transaction rollbacks.";
    CLASS_RESOURCES "53" 503 "Any other state of class 53: insufficient resources.";
    CLASS_LIMIT "54" 500 "Any other state of class 54: program limits exceeded.";
    CLASS_OBJECT_STATE "55" 500 "Any other state of class 55: objects not in the prerequisite state.";
    CLASS_INTERVENTION "57" 500 "Any other state of class 57: operator interventions.";
    CLASS_SYSTEM "58" 500 "Any other state of class 58: system errors.";
    CLASS_CONFIGURATION "F0" 500 "Any other state of class F0: configuration file errors.";
    CLASS_FOREIGN_DATA "HV" 500 "Any other state of class HV: foreign data wrapper errors.";
    CLASS_PROCEDURE "P0" 500 "Any other state of class P0: PL/pgSQL errors.";
    CLASS_STATUS "PT" 500 "A state that says the HTTP status itself: PT404.";
    CLASS_INTERNAL "XX" 500 "Any other state of class XX: internal errors.";
    UNLISTED "" 400 "A state of any other class.";
}

impl Code {
    fn row(self) -> &'static Row {
        &TABLE[self.0 as usize]
    }

    /// The code as sent to the caller.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The HTTP status on the Data API. `42501` is 401 for the anonymous role: the caller of this decides.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// The row that stands for a state: its own, else that of its class (PostgREST, "HTTP Status Codes").
    pub fn of_state(state: &str) -> Code {
        let class = || Code::find(state.get(..2).filter(|_| state.len() == 5)?);
        Code::find(state).or_else(class).unwrap_or(Code::UNLISTED)
    }

    /// The row with this name.
    pub fn find(name: &str) -> Option<Code> {
        let position = TABLE.iter().position(|row| row.name == name)?;
        u16::try_from(position).ok().map(Code)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_row() {
        for (position, row) in TABLE.iter().enumerate() {
            assert_eq!(Code::find(row.name).map(|c| c.0 as usize), Some(position), "{}", row.name);
        }
    }

    #[test]
    fn every_state_has_a_row_that_stands_for_it() {
        for (state, row) in [
            ("23505", Code::UNIQUE_VIOLATION),
            ("08006", Code::CLASS_CONNECTION),
            ("P0002", Code::CLASS_PROCEDURE),
            ("PT418", Code::CLASS_STATUS),
            ("12345", Code::UNLISTED),
            ("ÄÄ1", Code::UNLISTED),
        ] {
            assert_eq!(Code::of_state(state), row, "{state}");
        }
    }
}
