//! Tables, constraints, indexes, options of sequences.

use super::expr::expr;
use super::{clause, columns, columns_if_any, list, object_name, object_names, quote_ident, type_name, when};
use crate::ast::{
    ColumnConstraint, ColumnConstraintKind, ColumnDefinition, CreateIndex, CreateTable, Exclusion, Expr,
    ExprKind, IndexKey, PartitionBound, PartitionBy, References, ReferentialAction, SequenceOptions,
    TableConstraint, TableConstraintKind,
};

pub(super) fn create_table(table: &CreateTable) -> String {
    let mut elements: Vec<String> = table.columns.iter().map(column).collect();
    elements.extend(table.like.iter().map(|name| format!("like {}", object_name(name))));
    elements.extend(table.constraints.iter().map(table_constraint));
    let inherits = if table.inherits.is_empty() {
        String::new()
    } else {
        format!(" inherits ({})", object_names(&table.inherits))
    };
    let elements = match (&table.partition_of, elements.is_empty()) {
        (Some(_), true) => String::new(),
        _ => format!(" ({})", elements.join(", ")),
    };
    let (parent, bound) = match &table.partition_of {
        Some(of) => {
            (format!(" partition of {}", object_name(&of.table)), format!(" {}", partition_bound(&of.bound)))
        }
        None => Default::default(),
    };
    format!(
        "create {}table {}{}{parent}{elements}{inherits}{bound}{}",
        when(table.temporary, "temporary"),
        when(table.if_not_exists, "if not exists"),
        object_name(&table.name),
        clause("partition by", table.partition_by.as_ref(), partition_by),
    )
}

/// `strategy (keys)`
pub fn partition_by(by: &PartitionBy) -> String {
    format!("{} ({})", quote_ident(&by.strategy), list(&by.keys, index_key))
}

pub(super) fn partition_bound(bound: &PartitionBound) -> String {
    let exprs = |exprs: &[Expr]| list(exprs, expr);
    match bound {
        PartitionBound::Default => "default".to_owned(),
        PartitionBound::In(values) => format!("for values in ({})", exprs(values)),
        PartitionBound::Range { from, to } => format!("for values from ({}) to ({})", exprs(from), exprs(to)),
        PartitionBound::Hash { modulus, remainder } => {
            format!("for values with (modulus {modulus}, remainder {remainder})")
        }
    }
}

pub(super) fn column(column: &ColumnDefinition) -> String {
    let constraints: String =
        column.constraints.iter().map(|one| format!(" {}", column_constraint(one))).collect();
    let collation = clause("collate", column.collation.as_ref(), object_name);
    format!("{} {}{collation}{constraints}", quote_ident(&column.name), type_name(&column.ty))
}

fn constraint_name(name: Option<&String>) -> String {
    name.map(|name| format!("constraint {} ", quote_ident(name))).unwrap_or_default()
}

pub(super) fn column_constraint(constraint: &ColumnConstraint) -> String {
    let kind = match &constraint.kind {
        ColumnConstraintKind::NotNull => "not null".to_owned(),
        ColumnConstraintKind::Null => "null".to_owned(),
        ColumnConstraintKind::Default(value) => format!("default {}", default(value)),
        ColumnConstraintKind::Generated(value) => format!("generated always as ({}) stored", expr(value)),
        ColumnConstraintKind::Identity { always, options } => identity(*always, options),
        ColumnConstraintKind::Check { expr, no_inherit } => check(expr, *no_inherit),
        ColumnConstraintKind::Unique { nulls_not_distinct, deferrable, initially_deferred } => format!(
            "unique{}{}",
            if *nulls_not_distinct { " nulls not distinct" } else { "" },
            self::deferrable(*deferrable, *initially_deferred)
        ),
        ColumnConstraintKind::PrimaryKey { deferrable, initially_deferred } => {
            format!("primary key{}", self::deferrable(*deferrable, *initially_deferred))
        }
        ColumnConstraintKind::References(inner) => references(inner),
    };
    constraint_name(constraint.name.as_ref()) + &kind
}

/// A default, in parentheses unless it is one word or a cast: `not null` may follow.
pub(super) fn default(value: &Expr) -> String {
    match &*value.kind {
        ExprKind::Literal(_) | ExprKind::Call(_) | ExprKind::Cast { .. } | ExprKind::Array(_) => expr(value),
        _ => format!("({})", expr(value)),
    }
}

pub(super) fn identity(always: bool, options: &SequenceOptions) -> String {
    let options = sequence_options(options);
    let options = if options.is_empty() { options } else { format!(" ({})", options.trim_start()) };
    format!("generated {} as identity{options}", if always { "always" } else { "by default" })
}

fn check(condition: &Expr, no_inherit: bool) -> String {
    format!("check ({}){}", expr(condition), if no_inherit { " no inherit" } else { "" })
}

pub(super) fn deferrable(deferrable: bool, initially_deferred: bool) -> &'static str {
    match (deferrable, initially_deferred) {
        (_, true) => " deferrable initially deferred",
        (true, false) => " deferrable",
        (false, false) => "",
    }
}

fn references(references: &References) -> String {
    format!(
        "references {}{}{}{}{}{}",
        object_name(&references.table),
        columns_if_any(&references.columns),
        if references.match_full { " match full" } else { "" },
        action("delete", &references.on_delete),
        action("update", &references.on_update),
        deferrable(references.deferrable, references.initially_deferred),
    )
}

fn action(event: &str, action: &ReferentialAction) -> String {
    let what = match action {
        ReferentialAction::NoAction => return String::new(),
        ReferentialAction::Restrict => "restrict".to_owned(),
        ReferentialAction::Cascade => "cascade".to_owned(),
        ReferentialAction::SetNull(columns) => format!("set null{}", columns_if_any(columns)),
        ReferentialAction::SetDefault(columns) => format!("set default{}", columns_if_any(columns)),
    };
    format!(" on {event} {what}")
}

pub(super) fn table_constraint(constraint: &TableConstraint) -> String {
    let kind = match &constraint.kind {
        TableConstraintKind::Check { expr, no_inherit } => check(expr, *no_inherit),
        TableConstraintKind::Unique {
            columns,
            nulls_not_distinct,
            include,
            using_index,
            deferrable,
            initially_deferred,
        } => format!(
            "unique{}{}{}",
            if *nulls_not_distinct { " nulls not distinct" } else { "" },
            key(columns, include, using_index.as_ref()),
            self::deferrable(*deferrable, *initially_deferred)
        ),
        TableConstraintKind::PrimaryKey { columns, include, using_index, deferrable, initially_deferred } => {
            format!(
                "primary key{}{}",
                key(columns, include, using_index.as_ref()),
                self::deferrable(*deferrable, *initially_deferred)
            )
        }
        TableConstraintKind::ForeignKey { columns, references } => {
            format!("foreign key {} {}", self::columns(columns), self::references(references))
        }
        TableConstraintKind::Exclude(exclusion) => self::exclusion(exclusion),
    };
    let not_valid = if constraint.not_valid { " not valid" } else { "" };
    format!("{}{kind}{not_valid}", constraint_name(constraint.name.as_ref()))
}

fn exclusion(exclusion: &Exclusion) -> String {
    let key = |(key, operator): &(IndexKey, String)| format!("{} with {operator}", index_key(key));
    let include = match exclusion.include.is_empty() {
        true => String::new(),
        false => format!(" include {}", columns(&exclusion.include)),
    };
    format!(
        "exclude using {} ({}){include}{}{}",
        quote_ident(&exclusion.method),
        list(&exclusion.keys, key),
        exclusion.filter.as_ref().map(|filter| format!(" where ({})", expr(filter))).unwrap_or_default(),
        deferrable(exclusion.deferrable, exclusion.initially_deferred)
    )
}

fn key(columns: &[String], include: &[String], using_index: Option<&String>) -> String {
    if let Some(index) = using_index {
        return format!(" using index {}", quote_ident(index));
    }
    let include =
        if include.is_empty() { String::new() } else { format!(" include {}", self::columns(include)) };
    format!(" {}{include}", self::columns(columns))
}

pub(super) fn create_index(index: &CreateIndex) -> String {
    let include = if index.include.is_empty() {
        String::new()
    } else {
        format!(" include {}", columns(&index.include))
    };
    format!(
        "create {}index {}{}on {} using {} ({}){include}{}{}",
        when(index.unique, "unique"),
        when(index.if_not_exists, "if not exists"),
        index.name.as_ref().map(|name| quote_ident(name) + " ").unwrap_or_default(),
        object_name(&index.table),
        quote_ident(&index.method),
        list(&index.keys, index_key),
        if index.nulls_not_distinct { " nulls not distinct" } else { "" },
        clause("where", index.filter.as_ref(), expr),
    )
}

fn index_key(key: &IndexKey) -> String {
    let what = match &*key.expr.kind {
        ExprKind::Column(_) => expr(&key.expr),
        _ => format!("({})", expr(&key.expr)),
    };
    let nulls = match key.nulls_first {
        None => "",
        Some(true) => " nulls first",
        Some(false) => " nulls last",
    };
    format!(
        "{what}{}{}{}{nulls}",
        clause("collate", key.collation.as_ref(), object_name),
        key.opclass.as_ref().map(|name| format!(" {}", object_name(name))).unwrap_or_default(),
        if key.descending { " desc" } else { "" },
    )
}

/// Options of a sequence, each with a space in front.
pub(super) fn sequence_options(options: &SequenceOptions) -> String {
    let number =
        |word: &str, value: Option<i64>| value.map(|value| format!(" {word} {value}")).unwrap_or_default();
    let bound = |word: &str, value: Option<Option<i64>>| match value {
        None => String::new(),
        Some(None) => format!(" no {word}"),
        Some(Some(value)) => format!(" {word} {value}"),
    };
    let cycle = match options.cycle {
        None => "",
        Some(true) => " cycle",
        Some(false) => " no cycle",
    };
    let owned = options.owned_by.as_ref().map(|owner| match owner {
        None => " owned by none".to_owned(),
        Some((table, column)) => format!(" owned by {}.{}", object_name(table), quote_ident(column)),
    });
    let restart = options.restart.map(|value| format!(" restart{}", number("with", value)));
    [
        clause("as", options.ty.as_ref(), type_name),
        clause("sequence name", options.name.as_ref(), object_name),
        number("start with", options.start),
        number("increment by", options.increment),
        bound("minvalue", options.min),
        bound("maxvalue", options.max),
        cycle.to_owned(),
        owned.unwrap_or_default(),
        restart.unwrap_or_default(),
    ]
    .concat()
}
