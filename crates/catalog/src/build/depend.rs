//! What depends on what, as PostgreSQL's `pg_depend` would say.

use std::cell::OnceCell;
use std::sync::Arc;

use types::{Field, Name, Type};

use crate::expr::scope::Source;
use crate::expr::uses::Uses;
use crate::{Catalog, ColumnId, DefaultValue, Function, Table, TableKind, Unique};
use sql::ast::TriggerEvent;

/// Something that can be dropped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Object {
    /// A schema.
    Schema(Arc<str>),
    /// A table or view.
    Table(Name),
    /// A column of a table.
    Column(Name, Arc<str>),
    /// The default of a column.
    Default(Name, Arc<str>),
    /// A constraint of a table.
    Constraint(Name, Arc<str>),
    /// An index of a table.
    Index(Name, Arc<str>),
    /// A policy of a table.
    Policy(Name, Arc<str>),
    /// A trigger of a table.
    Trigger(Name, Arc<str>),
    /// A sequence.
    Sequence(Name),
    /// A function, by signature.
    Function(String),
    /// An enumerated or composite type, or a domain.
    Type(Name),
}

/// How a dependent hangs on what is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It is part of it and goes silently.
    Auto,
    /// It refuses, unless `cascade` is said.
    Normal,
}

/// Every object with an expression or query of its own, and what that uses: read when it is first asked for.
pub(super) struct Dependencies<'a> {
    catalog: &'a Catalog,
    uses: OnceCell<Vec<(Object, Uses)>>,
}

impl<'a> Dependencies<'a> {
    pub(super) fn of(catalog: &'a Catalog) -> Dependencies<'a> {
        Dependencies { catalog, uses: OnceCell::new() }
    }

    fn uses(&self) -> &[(Object, Uses)] {
        self.uses.get_or_init(|| self.read())
    }

    /// Reads all expressions of the catalog.
    fn read(&self) -> Vec<(Object, Uses)> {
        let catalog = self.catalog;
        let mut uses = Vec::new();
        for table in &catalog.tables {
            of_table(catalog, table, &mut uses);
        }
        for function in &catalog.functions {
            let defaults = function.arguments.iter().filter_map(|argument| argument.default.as_ref());
            uses.extend(defaults.map(|default| {
                (Object::Function(function.signature()), Uses::of(catalog, Vec::new(), default))
            }));
        }
        for domain in catalog.domains.values() {
            let exprs = domain.checks.iter().map(|check| &check.expr).chain(&domain.default);
            uses.extend(
                exprs.map(|expr| (Object::Type(domain.name.clone()), Uses::of(catalog, Vec::new(), expr))),
            );
        }
        uses
    }

    /// What hangs on an object directly.
    pub(super) fn dependents(&self, object: &Object) -> Vec<(Object, Link)> {
        match object {
            Object::Schema(schema) => self.of_schema(schema),
            Object::Table(table) => self.of_relation(table),
            Object::Column(table, column) => self.of_column(table, column),
            Object::Constraint(table, name) | Object::Index(table, name) => self.of_key(table, name),
            Object::Sequence(name) => self.using(|uses| uses.sequences.contains(name), Link::Normal),
            Object::Function(signature) => self.of_function(signature),
            Object::Type(name) => self.of_type(name),
            Object::Default(..) | Object::Policy(..) | Object::Trigger(..) => Vec::new(),
        }
    }

    fn using(&self, is: impl Fn(&Uses) -> bool, link: Link) -> Vec<(Object, Link)> {
        self.uses().iter().filter(|(_, uses)| is(uses)).map(|(object, _)| (object.clone(), link)).collect()
    }

    fn of_schema(&self, schema: &str) -> Vec<(Object, Link)> {
        let tables = self.catalog.tables.iter().map(|table| (&table.name, Object::Table(table.name.clone())));
        let sequences = self
            .catalog
            .sequences
            .values()
            .map(|sequence| (&sequence.name, Object::Sequence(sequence.name.clone())));
        let functions = self
            .catalog
            .functions
            .iter()
            .map(|function| (&function.name, Object::Function(function.signature())));
        let types = self.catalog.types.keys().map(|name| (name, Object::Type(name.clone())));
        let all = tables.chain(sequences).chain(functions).chain(types);
        all.filter(|(name, _)| *name.schema == *schema).map(|(_, object)| (object, Link::Normal)).collect()
    }

    fn of_relation(&self, table: &Name) -> Vec<(Object, Link)> {
        let owned = self
            .catalog
            .sequences
            .values()
            .filter(|sequence| sequence.owned_by.as_ref().is_some_and(|(owner, _)| owner == table));
        let mut found: Vec<(Object, Link)> =
            owned.map(|sequence| (Object::Sequence(sequence.name.clone()), Link::Auto)).collect();
        for other in self.catalog.tables.iter().filter(|other| other.name != *table) {
            let is_to = |key: &&crate::ForeignKey| {
                key.target == *table || key.parts.iter().any(|(partition, _)| partition == table)
            };
            let keys = other.foreign_keys.iter().filter(is_to);
            found.extend(
                keys.map(|key| (Object::Constraint(other.name.clone(), key.name.clone()), Link::Normal)),
            );
        }
        found.extend(self.of_row_type(table));
        let partitions = self.partitions_of(table);
        found.extend(partitions.map(|partition| (Object::Table(partition.clone()), Link::Auto)));
        let others = self.using(|uses| uses.tables.contains(table), Link::Normal);
        found.extend(others.into_iter().filter(|(object, _)| !object.is_of(table)));
        found
    }

    fn partitions_of(&self, table: &Name) -> impl Iterator<Item = &Name> {
        let is_of = |other: &&Table| other.partition.as_ref().is_some_and(|own| own.of == *table);
        self.catalog.tables.iter().filter(is_of).map(|partition| &partition.name)
    }

    /// Columns and functions whose type is a table's row, or a composite type.
    fn of_row_type(&self, name: &Name) -> Vec<(Object, Link)> {
        self.typed(|ty| matches!(ty, Type::Composite(other) if other == name))
    }

    fn typed(&self, is: impl Fn(&Type) -> bool) -> Vec<(Object, Link)> {
        let is = |ty: &Type| is(element(ty));
        let mut found = Vec::new();
        for table in self.catalog.tables.iter().filter(|table| !table.is_view()) {
            let columns = table.columns.iter().filter(|column| is(&column.ty));
            found.extend(
                columns.map(|column| (Object::Column(table.name.clone(), column.name.clone()), Link::Normal)),
            );
        }
        let uses_it = |function: &&Function| {
            is(&function.returns) || function.arguments.iter().any(|argument| is(&argument.ty))
        };
        let functions = self.catalog.functions.iter().filter(uses_it);
        found.extend(functions.map(|function| (Object::Function(function.signature()), Link::Normal)));
        let domains = self.catalog.domains.values().filter(|domain| is(&domain.ty));
        found.extend(domains.map(|domain| (Object::Type(domain.name.clone()), Link::Normal)));
        let composites =
            self.catalog.composites.iter().filter(|(_, fields)| fields.iter().any(|field| is(&field.ty)));
        found.extend(composites.map(|(name, _)| (Object::Type(name.clone()), Link::Normal)));
        found
    }

    fn of_type(&self, name: &Name) -> Vec<(Object, Link)> {
        let mut found = match self.catalog.types.get(name) {
            Some(_) if self.catalog.domains.contains_key(name) => self.of_domain(name),
            Some(Type::Enum(declared)) => {
                self.typed(|ty| matches!(ty, Type::Enum(other) if other.name == declared.name))
            }
            _ => self.of_row_type(name),
        };
        found.extend(self.using(|uses| uses.types.contains(name), Link::Normal));
        found
    }

    fn of_domain(&self, name: &Name) -> Vec<(Object, Link)> {
        let columns = self
            .catalog
            .tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
        let of_it = columns.filter(|(_, column)| column.domain.as_ref() == Some(name));
        let of_it = of_it
            .map(|(table, column)| (Object::Column(table.name.clone(), column.name.clone()), Link::Normal));
        let has = |fields: &[Field]| fields.iter().any(|field| field.domain.as_ref() == Some(name));
        let composites = self.catalog.composites.iter().filter(|(_, fields)| has(fields));
        of_it.chain(composites.map(|(name, _)| (Object::Type(name.clone()), Link::Normal))).collect()
    }

    fn of_function(&self, signature: &str) -> Vec<(Object, Link)> {
        let Some(function) = self.catalog.functions.iter().find(|function| function.signature() == signature)
        else {
            return Vec::new();
        };
        let is_other = |other: &&Function| other.name == function.name && other.signature() != signature;
        let accepts =
            |count: usize| self.catalog.functions.iter().filter(is_other).any(|other| takes(other, count));
        let calls = |uses: &Uses| {
            uses.functions
                .iter()
                .any(|(name, count)| *name == function.name && takes(function, *count) && !accepts(*count))
        };
        let mut found = self.using(calls, Link::Normal);
        for table in &self.catalog.tables {
            let fired = table.triggers.iter().filter(|trigger| {
                let name = &trigger.statement.function;
                name.schema.as_deref() == Some(&*function.name.schema)
                    && *name.name == *function.name.name
                    && function.input_types().next().is_none()
            });
            found
                .extend(fired.map(|trigger| {
                    (Object::Trigger(table.name.clone(), trigger.name.clone()), Link::Normal)
                }));
        }
        found
    }

    fn of_column(&self, table: &Name, column: &str) -> Vec<(Object, Link)> {
        let Some((_, declared)) = self.catalog.table(table) else { return Vec::new() };
        let Some((id, _)) = declared.column(column) else { return Vec::new() };
        let mut found = own_parts(declared, id);
        let is_owned = |owner: &(Name, Arc<str>)| owner.0 == *table && *owner.1 == *column;
        let sequences = self
            .catalog
            .sequences
            .values()
            .filter(|sequence| sequence.owned_by.as_ref().is_some_and(is_owned));
        found.extend(sequences.map(|sequence| (Object::Sequence(sequence.name.clone()), Link::Auto)));
        for other in &self.catalog.tables {
            let reaching = |key: &&crate::ForeignKey| {
                key.target == *table && key.target_columns.iter().any(|name| **name == *column)
            };
            let keys = other.foreign_keys.iter().filter(reaching);
            let link = if other.name == *table { Link::Auto } else { Link::Normal };
            found.extend(keys.map(|key| (Object::Constraint(other.name.clone(), key.name.clone()), link)));
        }
        let partitions = self.partitions_of(table);
        found.extend(
            partitions.map(|partition| (Object::Column(partition.clone(), column.into()), Link::Auto)),
        );
        let used =
            self.uses().iter().filter(|(_, uses)| uses.columns.contains(&(table.clone(), column.to_owned())));
        found.extend(used.map(|(object, _)| {
            (object.clone(), if object.is_part_of_columns() { Link::Auto } else { Link::Normal })
        }));
        found
    }

    /// Foreign keys that need a key: those for which no other key of the table has the same columns.
    fn of_key(&self, table: &Name, name: &str) -> Vec<(Object, Link)> {
        let Some((_, declared)) = self.catalog.table(table) else { return Vec::new() };
        let keys: Vec<&Unique> = declared.primary_key.iter().chain(&declared.uniques).collect();
        let indexed = declared.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
        let of_index = indexed.filter_map(|index| {
            Some((&index.name, index.keys.iter().map(|key| key.column).collect::<Option<Vec<_>>>()?))
        });
        let all: Vec<(&Arc<str>, Vec<ColumnId>)> =
            keys.into_iter().map(|key| (&key.name, key.columns.clone())).chain(of_index).collect();
        let same = |columns: &[ColumnId], names: &[Arc<str>]| {
            columns.len() == names.len()
                && columns.iter().all(|&column| names.contains(&declared[column].name))
        };
        let needs = |names: &[Arc<str>]| {
            let first = all.iter().find(|(_, columns)| same(columns, names));
            first.is_some_and(|(key, _)| ***key == *name)
        };
        let referencing = self
            .catalog
            .tables
            .iter()
            .flat_map(|other| other.foreign_keys.iter().map(move |key| (other, key)));
        let needing = referencing.filter(|(_, key)| key.target == *table && needs(&key.target_columns));
        needing
            .map(|(other, key)| (Object::Constraint(other.name.clone(), key.name.clone()), Link::Normal))
            .collect()
    }
}

/// Keys, foreign keys and indexes that have a column as such.
fn own_parts(table: &Table, column: ColumnId) -> Vec<(Object, Link)> {
    let constraint = |name: &Arc<str>| (Object::Constraint(table.name.clone(), name.clone()), Link::Auto);
    let keys = table.primary_key.iter().chain(&table.uniques);
    let keys = keys
        .filter(|key| key.columns.contains(&column) || key.include.contains(&column))
        .map(|key| constraint(&key.name));
    let references = table
        .foreign_keys
        .iter()
        .filter(|key| key.columns.contains(&column))
        .map(|key| constraint(&key.name));
    let indexes = table.indexes.iter().filter(|index| {
        index.include.contains(&column) || index.keys.iter().any(|key| key.column == Some(column))
    });
    let indexes = indexes.map(|index| (Object::Index(table.name.clone(), index.name.clone()), Link::Auto));
    keys.chain(references).chain(indexes).collect()
}

fn of_table(catalog: &Catalog, table: &Table, uses: &mut Vec<(Object, Uses)>) {
    let name = || table.name.clone();
    let root = || vec![Source::root(table)];
    for column in &table.columns {
        match &column.default {
            Some(DefaultValue::Expr(expr)) => {
                uses.push((Object::Default(name(), column.name.clone()), Uses::of(catalog, Vec::new(), expr)))
            }
            Some(DefaultValue::Generated(expr)) => {
                uses.push((Object::Column(name(), column.name.clone()), Uses::of(catalog, root(), expr)))
            }
            Some(DefaultValue::Identity { .. }) | None => {}
        }
    }
    for check in &table.checks {
        uses.push((Object::Constraint(name(), check.name.clone()), Uses::of(catalog, root(), &check.expr)));
    }
    for index in &table.indexes {
        let exprs = index.keys.iter().map(|key| &key.expr).chain(&index.predicate);
        uses.extend(
            exprs.map(|expr| (Object::Index(name(), index.name.clone()), Uses::of(catalog, root(), expr))),
        );
    }
    for policy in &table.policies {
        let exprs = [&policy.using, &policy.with_check].into_iter().flatten();
        uses.extend(
            exprs.map(|expr| (Object::Policy(name(), policy.name.clone()), Uses::of(catalog, root(), expr))),
        );
    }
    for trigger in &table.triggers {
        let mut used = match &trigger.statement.when {
            Some(when) => Uses::of(catalog, super::triggers::before_after(table), when),
            None => Uses::default(),
        };
        for event in &trigger.statement.events {
            if let TriggerEvent::Update(columns) = event {
                used.columns.extend(columns.iter().map(|column| (name(), column.clone())));
            }
        }
        uses.push((Object::Trigger(name(), trigger.name.clone()), used));
    }
    if let TableKind::View { query, .. } = &table.kind {
        uses.push((Object::Table(name()), Uses::of_query(catalog, query)));
    }
}

/// Whether a function can be called with so many arguments.
fn takes(function: &Function, count: usize) -> bool {
    let inputs = || function.arguments.iter().filter(|argument| argument.is_input());
    let required = inputs().filter(|argument| argument.default.is_none()).count();
    let is_variadic = inputs().any(|argument| argument.mode == sql::ast::ArgumentMode::Variadic);
    count >= required.saturating_sub(usize::from(is_variadic)) && (is_variadic || count <= inputs().count())
}

fn element(ty: &Type) -> &Type {
    match ty {
        Type::Array(inner) => element(inner),
        ty => ty,
    }
}

impl Object {
    /// Whether it is part of a table, or the table.
    fn is_of(&self, table: &Name) -> bool {
        match self {
            Object::Table(name)
            | Object::Column(name, _)
            | Object::Default(name, _)
            | Object::Constraint(name, _)
            | Object::Index(name, _)
            | Object::Policy(name, _)
            | Object::Trigger(name, _) => name == table,
            Object::Schema(_) | Object::Sequence(_) | Object::Function(_) | Object::Type(_) => false,
        }
    }

    /// Whether it goes silently with a column that it uses.
    fn is_part_of_columns(&self) -> bool {
        matches!(self, Object::Constraint(..) | Object::Index(..))
    }

    /// Whether it goes when `other` goes, without being asked.
    pub(super) fn is_inside(&self, other: &Object) -> bool {
        match other {
            Object::Table(table) => self != other && self.is_of(table),
            Object::Column(table, column) => {
                matches!(self, Object::Default(name, of) if name == table && of == column)
            }
            _ => false,
        }
    }
}
