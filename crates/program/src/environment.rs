//! The variables of a call: scopes of names, innermost last, over slots.
//!
//! A statement always stands in the same scopes, so that a slot that was found for it once is its slot each time.

use std::sync::Arc;

use catalog::{Catalog, TableId};
use query::Transition;
use sql::ast::{Query, TypeName};
use types::{Code, Error, Field, Modifier, Name, Result, Type, Value};

/// The fields of a row.
pub(crate) type Shape = Arc<[Field]>;

/// What a variable is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// One value; of a domain its constraints hold.
    Scalar { ty: Type, modifier: Option<Modifier>, domain: Option<Name> },
    /// A row whose fields come with what is assigned.
    Record,
    /// A row of a table or composite type.
    Row { name: Name, shape: Shape },
    /// A cursor with a query of its own; its value is the open cursor's name.
    Cursor { is_forward_only: bool, parameters: Arc<[(String, TypeName)]>, query: Arc<Query> },
}

/// What a variable holds.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Scalar(Value),
    /// A record that nothing was assigned to.
    Unassigned,
    /// Fields; `None` is a row that is null.
    Row(Shape, Option<Vec<Value>>),
}

/// A variable.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) held: Held,
    pub(crate) constant: bool,
    pub(crate) not_null: bool,
}

impl Variable {
    /// A variable that is null.
    pub(crate) fn new(name: impl Into<Arc<str>>, kind: Kind) -> Variable {
        let held = match &kind {
            Kind::Scalar { .. } | Kind::Cursor { .. } => Held::Scalar(Value::Null),
            Kind::Record => Held::Unassigned,
            Kind::Row { shape, .. } => Held::Row(shape.clone(), None),
        };
        Variable { name: name.into(), kind, held, constant: false, not_null: false }
    }

    /// One value of a type.
    pub(crate) fn scalar(name: impl Into<Arc<str>>, ty: Type, value: Value) -> Variable {
        let kind = Kind::Scalar { ty, modifier: None, domain: None };
        Variable { held: Held::Scalar(value), ..Variable::new(name, kind) }
    }

    /// The fields that it has now.
    pub(crate) fn shape(&self) -> Option<&Shape> {
        match &self.held {
            Held::Row(shape, _) => Some(shape),
            Held::Scalar(_) | Held::Unassigned => None,
        }
    }

    /// Whether it is a row that is null as a whole.
    pub(crate) fn is_null_row(&self) -> bool {
        matches!(self.held, Held::Row(_, None))
    }

    /// A field's value; of the row that is null, null.
    pub(crate) fn field(&self, at: usize) -> Value {
        match &self.held {
            Held::Row(_, Some(values)) => values.get(at).cloned().unwrap_or(Value::Null),
            Held::Row(_, None) | Held::Scalar(_) | Held::Unassigned => Value::Null,
        }
    }

    /// Its only value.
    pub(crate) fn value(&self) -> Value {
        match &self.held {
            Held::Scalar(value) => value.clone(),
            Held::Row(_, Some(values)) => Value::Row(values.clone().into()),
            Held::Row(_, None) | Held::Unassigned => Value::Null,
        }
    }

    /// The type of its only value.
    pub(crate) fn ty(&self) -> Type {
        match &self.kind {
            Kind::Scalar { ty, .. } => ty.clone(),
            Kind::Cursor { .. } => Type::Text,
            Kind::Row { name, .. } => Type::Composite(name.clone()),
            Kind::Record => record(),
        }
    }
}

/// The type of rows without one.
pub(crate) fn record() -> Type {
    Type::Composite(Name::new("pg_catalog", "record"))
}

/// Names that were declared together.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) label: Option<Arc<str>>,
    /// The first of its slots.
    from: usize,
    /// Other names for slots.
    pub(crate) aliases: Vec<(String, usize)>,
}

/// The variables in force.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    scopes: Vec<Scope>,
    variables: Vec<Variable>,
    /// The slots of `$1`, `$2`, …
    pub(crate) positional: Vec<usize>,
    /// The transition tables of the trigger that is fired.
    pub(crate) transitions: Arc<[TransitionTable]>,
}

/// Rows of the statement for which a trigger is fired, under a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TransitionTable {
    pub(crate) name: Arc<str>,
    pub(crate) table: TableId,
    pub(crate) rows: Transition,
}

/// What a name of one or more parts means.
pub(crate) struct Found {
    pub(crate) slot: usize,
    /// How many parts are used.
    pub(crate) parts: usize,
}

impl Environment {
    /// Begins a scope.
    pub(crate) fn enter(&mut self, label: Option<&str>) {
        let from = self.variables.len();
        self.scopes.push(Scope { label: label.map(Arc::from), from, aliases: Vec::new() });
    }

    /// Ends the innermost scope.
    pub(crate) fn leave(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.variables.truncate(scope.from);
        }
    }

    /// How many scopes are open.
    pub(crate) fn depth(&self) -> usize {
        self.scopes.len()
    }

    /// Ends scopes until so many are open.
    pub(crate) fn leave_to(&mut self, depth: usize) {
        while self.scopes.len() > depth {
            self.leave();
        }
    }

    /// Declares a variable in the innermost scope.
    pub(crate) fn declare(&mut self, variable: Variable) -> usize {
        self.variables.push(variable);
        self.variables.len() - 1
    }

    /// Another name for a slot.
    pub(crate) fn alias(&mut self, name: &str, slot: usize) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.aliases.push((name.to_owned(), slot));
        }
    }

    pub(crate) fn get(&self, slot: usize) -> Result<&Variable> {
        self.variables.get(slot).ok_or_else(|| Error::internal("a slot without a variable"))
    }

    pub(crate) fn get_mut(&mut self, slot: usize) -> Result<&mut Variable> {
        self.variables.get_mut(slot).ok_or_else(|| Error::internal("a slot without a variable"))
    }

    /// What a name means: innermost first, a variable before a label (`plpgsql_ns_lookup`).
    pub(crate) fn find(&self, parts: &[String]) -> Option<Found> {
        let first = parts.first()?;
        let mut end = self.variables.len();
        for scope in self.scopes.iter().rev() {
            if let Some(slot) = self.in_scope(scope, end, first) {
                let is_whole = matches!(self.variables[slot].kind, Kind::Scalar { .. } | Kind::Cursor { .. });
                if parts.len() == 1 || !is_whole {
                    return Some(Found { slot, parts: 1 });
                }
            }
            if let (Some(label), Some(second)) = (&scope.label, parts.get(1))
                && **label == **first
                && let Some(slot) = self.in_scope(scope, end, second)
            {
                return Some(Found { slot, parts: 2 });
            }
            end = scope.from;
        }
        None
    }

    fn in_scope(&self, scope: &Scope, end: usize, name: &str) -> Option<usize> {
        let own = (scope.from..end).find(|slot| *self.variables[*slot].name == *name);
        own.or_else(|| scope.aliases.iter().find(|(alias, _)| alias == name).map(|(_, slot)| *slot))
    }

    /// The slot of the call's own `found`: the first of the name.
    pub(crate) fn slot_of_found(&self) -> Result<usize> {
        let found = self.variables.iter().position(|variable| &*variable.name == "found");
        found.ok_or_else(|| Error::internal("a call without `found`"))
    }

    /// The slot of a variable.
    pub(crate) fn slot_of(&self, name: &str) -> Result<usize> {
        self.find(&[name.to_owned()]).map(|found| found.slot).ok_or_else(|| not_a_variable(name))
    }
}

pub(crate) fn not_a_variable(name: &str) -> Error {
    Error::new(Code::SYNTAX, format!("\"{name}\" is not a known variable"))
}

/// The fields of a row type.
pub(crate) fn shape_of(catalog: &Catalog, name: &Name) -> Option<Shape> {
    catalog.fields(name).map(Shape::from)
}
