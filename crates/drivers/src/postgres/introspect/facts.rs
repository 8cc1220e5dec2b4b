//! Everything that the queries say, row by row, before it is put together.

use tokio_postgres::Transaction;
use types::Result;

use super::rows::{Row, all};

/// All rows of all queries.
pub(super) struct Facts {
    pub(super) schemas: Vec<Schema>,
    pub(super) roles: Vec<Role>,
    pub(super) types: Vec<Ty>,
    pub(super) relations: Vec<Relation>,
    pub(super) partitions: Vec<Partition>,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) indexes: Vec<Index>,
    pub(super) policies: Vec<Policy>,
    pub(super) triggers: Vec<Trigger>,
    pub(super) functions: Vec<Function>,
    pub(super) sequences: Vec<Sequence>,
    pub(super) grants: Vec<Grant>,
    pub(super) default_privileges: Vec<DefaultPrivilege>,
    pub(super) extensions: Vec<String>,
    pub(super) publications: Vec<Publication>,
    pub(super) media_handlers: Vec<MediaHandler>,
    pub(super) representations: Vec<Representation>,
}

/// Kinds of facts: a row each, whose fields are the columns of its query in their order.
macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $read:ident -> $ty:ty,)* })*) => {
        $(
            $(#[$doc])*
            pub(super) struct $name {
                $(pub(super) $field: $ty,)*
            }

            impl $name {
                fn read(row: &Row) -> Result<$name> {
                    Ok($name { $($field: row.$read()?,)* })
                }
            }
        )*
    };
}

facts! {
    /// A schema.
    Schema {
        id: id -> i64,
        name: text -> String,
        has_acl: flag -> bool,
        owner: text -> String,
        comment: maybe -> Option<String>,
    }
    /// A cast that shows or reads a domain.
    Representation {
        schema: text -> String,
        domain: text -> String,
        is_shown: flag -> bool,
        is_of_json: flag -> bool,
        of_schema: text -> String,
        function: text -> String,
    }
    /// An aggregate that makes a whole reply.
    MediaHandler {
        schema: text -> String,
        name: text -> String,
        media: text -> String,
        is_binary: flag -> bool,
        of_schema: maybe -> Option<String>,
        of_name: maybe -> Option<String>,
    }
    /// A role, with the roles that it is a member of.
    Role {
        name: text -> String,
        bypasses: flag -> bool,
        superuser: flag -> bool,
        inherits: flag -> bool,
        member_of: texts -> Vec<String>,
        settings: texts -> Vec<String>,
    }
    /// A type.
    Ty {
        id: id -> i64,
        schema: text -> String,
        name: text -> String,
        kind: text -> String,
        element: id -> i64,
        base: id -> i64,
        modifier: number -> i32,
        not_null: flag -> bool,
        default: maybe -> Option<String>,
        labels: texts -> Vec<String>,
        is_composite: flag -> bool,
        relation: id -> i64,
        comment: maybe -> Option<String>,
    }
    /// A table or view.
    Relation {
        id: id -> i64,
        schema: text -> String,
        name: text -> String,
        kind: text -> String,
        owner: text -> String,
        row_security: flag -> bool,
        force_row_security: flag -> bool,
        has_acl: flag -> bool,
        options: texts -> Vec<String>,
        query: maybe -> Option<String>,
        comment: maybe -> Option<String>,
    }
    /// A partitioned table, or a partition of another.
    Partition {
        relation: id -> i64,
        parent: id -> i64,
        key: maybe -> Option<String>,
        bound: maybe -> Option<String>,
    }
    /// A column of a table, view or composite type.
    Column {
        relation: id -> i64,
        number: number -> i32,
        name: text -> String,
        ty: id -> i64,
        modifier: number -> i32,
        not_null: flag -> bool,
        identity: text -> String,
        generated: text -> String,
        expr: maybe -> Option<String>,
        comment: maybe -> Option<String>,
    }
    /// A key, check or foreign key of a table, or a check of a domain.
    Constraint {
        relation: id -> i64,
        domain: id -> i64,
        name: text -> String,
        kind: text -> String,
        columns: numbers -> Vec<i16>,
        target: id -> i64,
        target_columns: numbers -> Vec<i16>,
        on_update: text -> String,
        on_delete: text -> String,
        match_full: flag -> bool,
        set_columns: numbers -> Vec<i16>,
        deferrable: flag -> bool,
        deferred: flag -> bool,
        validated: flag -> bool,
        check: maybe -> Option<String>,
        nulls_not_distinct: flag -> bool,
        include: numbers -> Vec<i16>,
    }
    /// An index that no constraint owns, as its statement.
    Index {
        relation: id -> i64,
        name: text -> String,
        statement: text -> String,
        comment: maybe -> Option<String>,
    }
    /// A policy.
    Policy {
        relation: id -> i64,
        name: text -> String,
        permissive: flag -> bool,
        command: text -> String,
        roles: texts -> Vec<String>,
        using: maybe -> Option<String>,
        with_check: maybe -> Option<String>,
        comment: maybe -> Option<String>,
    }
    /// A trigger, as its statement.
    Trigger {
        relation: id -> i64,
        name: text -> String,
        statement: text -> String,
        mode: text -> String,
    }
    /// A function.
    Function {
        id: id -> i64,
        schema: text -> String,
        name: text -> String,
        owner: text -> String,
        language: text -> String,
        types: ids -> Vec<i64>,
        modes: texts -> Vec<String>,
        names: texts -> Vec<String>,
        defaults: maybe_texts -> Vec<Option<String>>,
        returns: id -> i64,
        returns_set: flag -> bool,
        volatility: text -> String,
        strict: flag -> bool,
        definer: flag -> bool,
        rows: float -> f64,
        settings: texts -> Vec<String>,
        body: text -> String,
        has_acl: flag -> bool,
        comment: maybe -> Option<String>,
        statement: maybe -> Option<String>,
    }
    /// A sequence, with the column that owns it.
    Sequence {
        id: id -> i64,
        schema: text -> String,
        name: text -> String,
        ty: id -> i64,
        start: big -> i64,
        increment: big -> i64,
        min: big -> i64,
        max: big -> i64,
        cycle: flag -> bool,
        relation: id -> i64,
        column: number -> i32,
        has_acl: flag -> bool,
        owner: text -> String,
    }
    /// What a role may do with an object or a part of it.
    Grant {
        kind: text -> String,
        object: id -> i64,
        part: number -> i32,
        role: text -> String,
        privileges: texts -> Vec<String>,
    }
    /// What a role may do with objects that another one makes.
    DefaultPrivilege {
        owner: text -> String,
        schema: maybe -> Option<String>,
        kind: text -> String,
        role: text -> String,
        privileges: texts -> Vec<String>,
    }
    /// A publication, once for each of its tables.
    Publication {
        name: text -> String,
        is_of_all: flag -> bool,
        schema: maybe -> Option<String>,
        table: maybe -> Option<String>,
    }
}

/// Asks all queries on one snapshot.
pub(super) async fn read(at: &Transaction<'_>, served: &[String]) -> Result<Facts> {
    macro_rules! ask {
        ($file:literal, $read:expr) => {
            all(at, include_str!(concat!("queries/", $file, ".sql")), &[], $read).await?
        };
    }
    Ok(Facts {
        schemas: ask!("schemas", Schema::read),
        roles: ask!("roles", Role::read),
        types: ask!("types", Ty::read),
        relations: ask!("relations", Relation::read),
        partitions: ask!("partitions", Partition::read),
        columns: ask!("columns", Column::read),
        constraints: ask!("constraints", Constraint::read),
        indexes: ask!("indexes", Index::read),
        policies: ask!("policies", Policy::read),
        triggers: ask!("triggers", Trigger::read),
        functions: all(at, include_str!("queries/functions.sql"), &[&served], Function::read).await?,
        sequences: ask!("sequences", Sequence::read),
        grants: ask!("grants", Grant::read),
        default_privileges: ask!("default_privileges", DefaultPrivilege::read),
        extensions: ask!("extensions", Row::text),
        publications: ask!("publications", Publication::read),
        media_handlers: all(at, include_str!("queries/media_handlers.sql"), &[&served], MediaHandler::read)
            .await?,
        representations: ask!("representations", Representation::read),
    })
}
